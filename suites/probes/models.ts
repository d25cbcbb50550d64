import type { SchemaName } from '../../specs/validate.ts';
import {
  expectEach,
  expectEqual,
  expectSchema,
  expectStatus,
  expectThat,
  jsonOf,
  NotApplicable,
  need,
} from '../expect.ts';
import { isObject, member } from '../member.ts';
import { defineProbe, type Judgement } from '../probe.ts';
import type { Reply } from '../reply.ts';

const partOf =
  (schema: SchemaName, pointer: string): Judgement<Reply> =>
  (reply) =>
    expectSchema(reply, schema, jsonOf(reply), pointer);

/** A member of every entry of the list, under any of its names. */
const entryPart =
  (...names: readonly string[]): Judgement<Reply> =>
  (reply) =>
    expectEach(names, (name) => expectSchema(reply, 'models-list', jsonOf(reply), `/data/*/${name}`));

function entriesOf(reply: Reply): readonly unknown[] {
  const data = member(jsonOf(reply), 'data');
  return Array.isArray(data) ? data : [];
}

const listModels = defineProbe({
  name: 'the list of models',
  cost: { requests: 0, tokens: 0 },
  act: async (target) => target.baseline.list,
  judge: {
    'models.list.status': (reply) => expectStatus(reply, 200),
    'models.list.object': partOf('models-list', '/object'),
    'models.list.data': (reply) => {
      const data = member(jsonOf(reply), 'data');
      return expectThat(reply, '/data', Array.isArray(data) && data.length > 0, 'an array with a model', data);
    },
    'models.list.entry.id': entryPart('id'),
    'models.list.entry.id-unique': (reply) => {
      const ids = entriesOf(reply).map((entry) => member(entry, 'id'));
      need(ids.length > 0, 'the list of models holds no entry');
      const repeated = ids.filter((id, index) => id !== undefined && ids.indexOf(id) < index);
      return expectEqual(reply, 'ids that appear more than once', repeated, []);
    },
    'models.list.entry.object': entryPart('object'),
    'models.list.entry.created': entryPart('created'),
    'models.list.entry.owned-by': entryPart('owned_by'),
    'models.list.entry.permission': entryPart('permission'),
    'models.list.entry.root': entryPart('root'),
    'models.list.entry.parent': entryPart('parent'),
    'models.list.entry.context-window': entryPart('context_window'),
    'models.list.entry.capabilities': entryPart('capabilities', 'Capabilities'),
    'models.list.entry.capabilities-spelling': (reply) => {
      const entries = entriesOf(reply).filter(isObject);
      need(
        entries.some((entry) => 'capabilities' in entry || 'Capabilities' in entry),
        'no listed model has capabilities in either spelling',
      );
      return expectEach(entries, (entry) =>
        expectThat(
          reply,
          `capabilities of ${member(entry, 'id')}`,
          !('Capabilities' in entry),
          'the member capabilities',
          Object.keys(entry).filter((key) => key.toLowerCase() === 'capabilities'),
        ),
      );
    },
  },
});

interface SingleModel {
  readonly id: string;
  readonly plain: Reply;
  readonly encoded: Reply | undefined;
  readonly unknown: Reply;
}

const singlePart =
  (...pointers: readonly string[]): Judgement<SingleModel> =>
  ({ plain }) =>
    expectEach(pointers, (pointer) => expectSchema(plain, 'model', jsonOf(plain), pointer));

const getModel = defineProbe<SingleModel>({
  name: 'a single model',
  cost: { requests: 3, tokens: 0 },
  async act(target) {
    const { model, models } = target.baseline;
    const id = models.find((listed) => listed.id === model)?.id ?? models[0]?.id ?? model;
    const path = `/models/${id.split('/').map(encodeURIComponent).join('/')}`;
    const [plain, encoded, unknown] = await Promise.all([
      target.send('GET', path),
      id.includes('/') ? target.send('GET', `/models/${encodeURIComponent(id)}`) : undefined,
      // Of the form of the listed ones, so that it is looked up as a model and not as another path.
      target.send('GET', `/models/stack29-conformance${id.includes('/') ? '/' : '-'}no-such-model`),
    ]);
    return { id, plain, encoded, unknown };
  },
  judge: {
    'models.get.status': ({ plain }) => expectStatus(plain, 200),
    'models.get.encoded-slash': ({ encoded, plain }) => {
      if (encoded === undefined) throw new NotApplicable('the model asked for has no slash in its id');
      expectStatus(encoded, 200);
      const asPlain = plain.status === 200 ? member(plain.json, 'id') : undefined;
      if (asPlain !== undefined) expectEqual(encoded, '/id', member(jsonOf(encoded), 'id'), asPlain);
    },
    'models.get.id': ({ id, plain }) => expectEqual(plain, '/id', member(jsonOf(plain), 'id'), id),
    'models.get.object': singlePart('/object'),
    'models.get.created': singlePart('/created'),
    'models.get.owned-by': singlePart('/owned_by'),
    'models.get.context-window': singlePart('/context_window'),
    'models.get.capabilities': singlePart('/capabilities', '/Capabilities'),
    'models.get.agrees': ({ id, plain }, { baseline }) => {
      const entry =
        baseline.list.status === 200 ? entriesOf(baseline.list).find((one) => member(one, 'id') === id) : undefined;
      need(isObject(entry), 'the model is not in the list of models');
      const single = jsonOf(plain);
      need(isObject(single), 'the single model is not an object');
      const common = Object.keys(single).filter((key) => key in entry && !(key in versionMembers));
      return expectEach(common, (key) => expectEqual(plain, `/${key}`, single[key], entry[key]));
    },
    'models.get.unknown': ({ plain, unknown }) => {
      need(plain.status === 200, 'a listed model is not answered with 200, so a refusal proves nothing');
      return expectStatus(unknown, 404);
    },
  },
});

/** Members that belong to the response and not to the model. */
const versionMembers = { api_version: true, deprecation_date: true };

export const modelProbes = [listModels, getModel];
