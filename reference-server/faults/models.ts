import { ApiError } from '../api-error.ts';
import type { Behaviour } from '../behaviour.ts';
import { inBody, inTurn, type Members, membersOf } from '../change.ts';
import type { Faults } from './fault.ts';

/** Changes a part of the one listed model. */
const inEntry = (member: string, to: unknown): Behaviour => inBody('models', `/data/0/${member}`, to);

/** Lists a second model, equal to the first but for its id and these members. */
const secondEntry = (members: Members): Behaviour =>
  inBody('models', '/data', ([first]: readonly unknown[]) => [
    first,
    { ...membersOf(first), id: 'stack29/second', root: 'stack29/second', ...members },
  ]);

const inSingle = (member: string, to: unknown): Behaviour => inBody('model', `/${member}`, to);

/** Changes the answer to a single model whose id is sent with its slash encoded, or as it is. */
const withStatus = (status: number, encoded: boolean): Behaviour => ({
  answer: (answer, { url }) =>
    answer.kind === 'model' && /%2f/i.test(url) === encoded ? { ...answer, status } : answer,
});

const capitalized = (entry: unknown) => {
  const { capabilities, ...members } = membersOf(entry);
  return { ...members, Capabilities: capabilities };
};

export const modelFaults = {
  'list-created': {
    description: 'the list of models is answered with 201',
    trips: ['models.list.status'],
    behaviour: { answer: (answer) => (answer.kind === 'models' ? { ...answer, status: 201 } : answer) },
  },
  'list-object-wrong': {
    description: 'object of the list is "models"',
    trips: ['models.list.object'],
    behaviour: inBody('models', '/object', 'models'),
  },
  'list-empty': {
    description: 'the list of models is empty',
    trips: ['models.list.data'],
    behaviour: inBody('models', '/data', []),
  },
  'list-by-id': {
    description: 'data of the list is an object that has the models by their ids',
    trips: ['models.list.data'],
    behaviour: inBody('models', '/data', ([model]: readonly unknown[]) => ({ [String(membersOf(model).id)]: model })),
  },
  'entry-without-id': {
    description: 'a second listed model has no id',
    trips: ['models.list.entry.id'],
    behaviour: secondEntry({ id: undefined }),
  },
  'entry-id-empty': {
    description: 'a second listed model has an empty id',
    trips: ['models.list.entry.id'],
    behaviour: secondEntry({ id: '' }),
  },
  'entry-repeated': {
    description: 'the same model is listed twice',
    trips: ['models.list.entry.id-unique'],
    behaviour: inBody('models', '/data', ([model]: readonly unknown[]) => [model, model]),
  },
  'entry-without-object': {
    description: 'a second listed model has no object',
    trips: ['models.list.entry.object'],
    behaviour: secondEntry({ object: undefined }),
  },
  'entry-object-wrong': {
    description: 'object of a second listed model is "engine"',
    trips: ['models.list.entry.object'],
    behaviour: secondEntry({ object: 'engine' }),
  },
  'entry-created-date': {
    description: 'created of a second listed model is a date in words',
    trips: ['models.list.entry.created'],
    behaviour: secondEntry({ created: '2026-01-01T00:00:00Z' }),
  },
  'entry-created-milliseconds': {
    description: 'created of a second listed model is in milliseconds',
    trips: ['models.list.entry.created'],
    behaviour: secondEntry({ created: 1_767_225_600_000 }),
  },
  'entry-without-owner': {
    description: 'a second listed model has no owned_by',
    trips: ['models.list.entry.owned-by'],
    behaviour: secondEntry({ owned_by: undefined }),
  },
  'entry-owner-null': {
    description: 'owned_by of a second listed model is null',
    trips: ['models.list.entry.owned-by'],
    behaviour: secondEntry({ owned_by: null }),
  },
  'entry-without-permission': {
    description: 'the listed model has no permission',
    trips: ['models.list.entry.permission'],
    behaviour: inEntry('permission', undefined),
  },
  'entry-permission-object': {
    description: 'permission of a second listed model is an object',
    trips: ['models.list.entry.permission'],
    behaviour: secondEntry({ permission: {} }),
  },
  'entry-without-root': {
    description: 'the listed model has no root',
    trips: ['models.list.entry.root'],
    behaviour: inEntry('root', undefined),
  },
  'entry-root-null': {
    description: 'root of a second listed model is null',
    trips: ['models.list.entry.root'],
    behaviour: secondEntry({ root: null }),
  },
  'entry-without-parent': {
    description: 'the listed model has no parent',
    trips: ['models.list.entry.parent'],
    behaviour: inEntry('parent', undefined),
  },
  'entry-parent-false': {
    description: 'parent of a second listed model is false',
    trips: ['models.list.entry.parent'],
    behaviour: secondEntry({ parent: false }),
  },
  'entry-without-window': {
    description: 'a second listed model has no context_window',
    trips: ['models.list.entry.context-window'],
    behaviour: secondEntry({ context_window: undefined }),
  },
  'entry-window-zero': {
    description: 'context_window of a second listed model is 0',
    trips: ['models.list.entry.context-window'],
    behaviour: secondEntry({ context_window: 0 }),
  },
  'entry-window-text': {
    description: 'context_window of a second listed model is the text "4096"',
    trips: ['models.list.entry.context-window'],
    behaviour: secondEntry({ context_window: '4096' }),
  },
  'entry-without-capabilities': {
    description: 'a second listed model has no capabilities',
    trips: ['models.list.entry.capabilities'],
    behaviour: secondEntry({ capabilities: undefined }),
  },
  'entry-capabilities-partial': {
    description: 'capabilities of a second listed model leave voice out',
    trips: ['models.list.entry.capabilities'],
    behaviour: secondEntry({ capabilities: { streaming: true, tools: true } }),
  },
  'entry-capabilities-text': {
    description: 'a capability of a second listed model is the text "yes"',
    trips: ['models.list.entry.capabilities'],
    behaviour: secondEntry({ capabilities: { streaming: 'yes', tools: true, voice: false } }),
  },
  'entry-capabilities-list': {
    description: 'capabilities of a second listed model are a list of names',
    trips: ['models.list.entry.capabilities'],
    behaviour: secondEntry({ capabilities: ['streaming', 'tools'] }),
  },
  'entry-capabilities-capital': {
    description: 'the listed model spells its Capabilities with a capital',
    trips: ['models.list.entry.capabilities-spelling'],
    behaviour: inBody('models', '/data/0', capitalized),
  },
  'single-model-created-status': {
    description: 'the single model is answered with 201',
    trips: ['models.get.status'],
    behaviour: withStatus(201, false),
  },
  'plain-slash-unknown': {
    description: 'a model whose slash is sent as it is, is answered with 404',
    trips: ['models.get.status'],
    behaviour: slashUnknown(false),
  },
  'encoded-slash-unknown': {
    description: 'a model whose slash is encoded is answered with 404',
    trips: ['models.get.encoded-slash'],
    behaviour: slashUnknown(true),
  },
  'encoded-slash-other-model': {
    description: 'a model whose slash is encoded is answered with another model',
    trips: ['models.get.encoded-slash'],
    behaviour: inBody('model', '/id', 'stack29/second', ({ url }) => /%2f/i.test(url)),
  },
  'single-model-other-id': {
    description: 'the single model has another id than was asked for',
    trips: ['models.get.id', 'models.get.agrees', 'models.get.encoded-slash'],
    behaviour: inBody('model', '/id', 'scripted', ({ url }) => !/%2f/i.test(url)),
  },
  'single-model-without-id': {
    description: 'the single model has no id',
    trips: ['models.get.id'],
    behaviour: inSingle('id', undefined),
  },
  'single-model-without-object': {
    description: 'the single model has no object',
    trips: ['models.get.object'],
    behaviour: inSingle('object', undefined),
  },
  'single-model-without-created': {
    description: 'the single model has no created',
    trips: ['models.get.created'],
    behaviour: inSingle('created', undefined),
  },
  'single-model-created-text': {
    description: 'created of the single model is a number in quotes',
    trips: ['models.get.created', 'models.get.agrees'],
    behaviour: inSingle('created', '1767225600'),
  },
  'single-model-without-owner': {
    description: 'the single model has no owned_by',
    trips: ['models.get.owned-by'],
    behaviour: inSingle('owned_by', undefined),
  },
  'single-model-without-window': {
    description: 'the single model has no context_window',
    trips: ['models.get.context-window'],
    behaviour: inSingle('context_window', undefined),
  },
  'single-model-without-capabilities': {
    description: 'the single model has no capabilities',
    trips: ['models.get.capabilities'],
    behaviour: inSingle('capabilities', undefined),
  },
  'single-model-capabilities-partial': {
    description: 'capabilities of the single model leave tools out',
    trips: ['models.get.capabilities', 'models.get.agrees'],
    behaviour: inSingle('capabilities/tools', undefined),
  },
  'single-model-other-window': {
    description: 'the single model has another context_window than its entry in the list',
    trips: ['models.get.agrees'],
    behaviour: inSingle('context_window', (tokens: number) => tokens - 1),
  },
  'single-model-other-parent': {
    description: 'the single model has a parent, its entry in the list none',
    trips: ['models.get.agrees'],
    behaviour: inSingle('parent', 'stack29/base'),
  },
  'unknown-model-made-up': {
    description: 'a single model that does not exist is answered with 200',
    trips: ['models.get.unknown'],
    behaviour: {
      answer: (answer, { url }) =>
        answer.status === 404 && url.startsWith('/v1/models/')
          ? {
              ...answer,
              kind: 'model',
              status: 200,
              body: { ...membersOf(answer.body), error: undefined, id: url.slice(11) },
            }
          : answer,
    },
  },
  'unknown-model-malformed': {
    description: 'a single model that does not exist is answered with 400',
    trips: ['models.get.unknown'],
    behaviour: inTurn(
      {
        answer: (answer, { url }) =>
          answer.status === 404 && url.startsWith('/v1/models/') ? { ...answer, status: 400 } : answer,
      },
      inBody('error', '/error/code', 'invalid_request', ({ url }) => url.startsWith('/v1/models/')),
    ),
  },
} as const satisfies Faults;

function slashUnknown(encoded: boolean): Behaviour {
  const { code, message, type, param } = new ApiError('model_not_found', 'there is no such model', { param: 'model' });
  return {
    answer: (answer, { url }) =>
      answer.kind === 'model' && /%2f/i.test(url) === encoded
        ? {
            ...answer,
            kind: 'error',
            status: 404,
            body: { ...membersOf(answer.body), error: { code, message, type, param } },
          }
        : answer,
  };
}
