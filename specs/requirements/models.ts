import type { RequirementTable } from '../requirement.ts';

const list = { level: 'MUST', profile: 'core', source: 'rest-endpoints/models-list/response' } as const;
const single = { level: 'MUST', profile: 'core', source: 'rest-endpoints/get-model' } as const;

export const modelRequirements = {
  'models.list.status': {
    level: 'MUST',
    profile: 'core',
    statement: 'GET /models is answered with 200',
    source: 'rest-endpoints/models-list',
  },
  'models.list.object': { ...list, statement: 'object of the list of models is "list"' },
  'models.list.data': { ...list, statement: 'data of the list of models is an array with at least one model' },
  'models.list.entry.id': { ...list, statement: 'id of every listed model is a string that is not empty' },
  'models.list.entry.id-unique': {
    ...list,
    level: 'SHOULD',
    statement: 'no two listed models have the same id',
    reading: 'not stated, but a client chooses a model by its id',
  },
  'models.list.entry.object': { ...list, statement: 'object of every listed model is "model"' },
  'models.list.entry.created': {
    ...list,
    statement: 'created of every listed model is a time in whole Unix seconds',
  },
  'models.list.entry.owned-by': { ...list, statement: 'owned_by of every listed model is a string' },
  'models.list.entry.permission': { ...list, statement: 'permission of every listed model is an array' },
  'models.list.entry.root': { ...list, statement: 'root of every listed model is a string' },
  'models.list.entry.parent': { ...list, statement: 'parent of every listed model is a string or null' },
  'models.list.entry.context-window': {
    ...list,
    statement: 'context_window of every listed model is a positive integer, in tokens',
  },
  'models.list.entry.capabilities': {
    ...list,
    statement: 'every listed model says in capabilities whether it has streaming, tools and voice, each as a boolean',
    reading: 'the example spells the member capabilities once and Capabilities once: both are accepted',
  },
  'models.list.entry.capabilities-spelling': {
    ...list,
    level: 'MAY',
    statement: 'capabilities of every listed model is spelled in small letters',
    reading: 'both spellings are shown; the one with a capital is reported, for clients that read only the other',
  },
  'models.get.status': {
    ...single,
    statement: 'GET /models/{id} of a listed model is answered with 200, the slash in the id sent as it is',
  },
  'models.get.encoded-slash': {
    ...single,
    statement: 'GET /models/{id} of a listed model is answered with 200 and the same model, the slash percent-encoded',
    reading: 'the documented ids hold a slash, the example sends it plain, and the OpenAI clients encode it',
  },
  'models.get.id': { ...single, statement: 'id of a single model is the id that was asked for' },
  'models.get.object': { ...single, statement: 'object of a single model is "model"' },
  'models.get.created': { ...single, statement: 'created of a single model is a time in whole Unix seconds' },
  'models.get.owned-by': { ...single, statement: 'owned_by of a single model is a string' },
  'models.get.context-window': {
    ...single,
    statement: 'context_window of a single model is a positive integer, in tokens',
  },
  'models.get.capabilities': {
    ...single,
    statement: 'a single model says in capabilities whether it has streaming, tools and voice, each as a boolean',
    reading: 'either spelling of the member is accepted, as in the list',
  },
  'models.get.agrees': {
    ...single,
    statement: 'what a single model and its entry in the list both give is the same in both',
    reading: 'the list shows permission, root and parent, the single model does not: only common members are compared',
  },
  'models.get.unknown': {
    ...single,
    source: 'error-handling/codes',
    statement: 'GET /models/{id} of a model that does not exist is answered with 404',
  },
} as const satisfies RequirementTable;
