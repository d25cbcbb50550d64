import { describe, expect, test } from 'vitest';
import type { Behaviour } from '../reference-server/behaviour.ts';
import { asked, inBody, inTurn } from '../reference-server/change.ts';
import type { RunOptions } from '../specs/evidence.ts';
import { idsOf, judge, type Settings } from './test-rig.ts';

describe('webhooks that are different, and legal', () => {
  const verdicts = async (behaviour: Behaviour, settings: Settings = {}) =>
    (await judge(behaviour, { ...settings, profile: 'webhooks' })).live;
  const end = (id: string, timestamp: string) => ({ event: 'generation.done', timestamp, data: { id } });

  test('come for other clients, too, and late', async () => {
    const live = await verdicts({
      tell: (payload) => [
        end('chatcmpl-of-another', payload.timestamp),
        end('chatcmpl-of-yesterday', '2026-01-01T00:00:00Z'),
        payload,
      ],
    });
    expect(idsOf(live, 'fail', 'warn', 'inconclusive')).toEqual([]);
  });

  test('name no chat, and look the same within a second', async () => {
    const live = await verdicts({
      tell: ({ timestamp, ...payload }) => [
        {
          ...payload,
          timestamp: `${timestamp.slice(0, 19)}Z`,
          data: payload.event === 'generation.done' ? {} : payload.data,
        },
      ],
    });
    expect(idsOf(live, 'fail', 'warn', 'inconclusive')).toEqual([]);
    expect(idsOf(live, 'note')).toEqual(expect.arrayContaining(['webhooks.generation.identified']));
    expect(idsOf(live, 'note')).not.toContain('webhooks.delivery.once');
  });

  test('tell of no tool, since calls are left to the client', async () => {
    const live = await verdicts({}, { runsTools: false });
    expect(live.outcome).toBe('conformant');
    expect(idsOf(live, 'not-applicable')).toContain('webhooks.tool-call.started');
  });

  test('tell of no tool, and nothing says why: that decides nothing', async () => {
    const live = await verdicts({ tell: (payload) => (payload.event === 'generation.done' ? [payload] : []) });
    expect(idsOf(live, 'fail', 'warn')).toEqual([]);
    expect(idsOf(live, 'inconclusive')).toContain('webhooks.tool-call.started');
  });

  /** A call of another client. */
  const otherCall = (id: string, timestamp: string) =>
    (['tool_call.started', 'tool_call.completed'] as const).map((event) => ({
      event,
      timestamp,
      data: { tool_call_id: `call_of_another_${id}`, tool_name: 'execute_code', execution_time_ms: 1, result: '' },
    }));

  test('leave calls to the client, while those of others are told', async () => {
    let others = 0;
    const live = await verdicts(
      {
        tell(payload) {
          others += 1;
          return [payload, ...otherCall(String(others), payload.timestamp)];
        },
      },
      { runsTools: false },
    );
    expect(idsOf(live, 'fail', 'warn', 'inconclusive')).toEqual([]);
    expect(idsOf(live, 'note')).toEqual(['webhooks.delivery.signed']);
    expect(idsOf(live, 'pass')).toContain('webhooks.tool-call.id');
  });

  test('leave calls to the client, while as many of others are told: that decides nothing of their ids', async () => {
    const live = await verdicts(
      {
        tell(payload, exchange) {
          const forced = asked(exchange).tool_choice !== undefined;
          const late = new Date(Date.parse(payload.timestamp) + 1_000).toISOString();
          return forced ? [payload, ...otherCall(payload.timestamp, late)] : [payload];
        },
      },
      { runsTools: false },
    );
    expect(idsOf(live, 'fail', 'warn')).toEqual([]);
    expect(idsOf(live, 'note')).toEqual(['webhooks.delivery.signed']);
    expect(idsOf(live, 'inconclusive')).toEqual(['webhooks.tool-call.id']);
  });

  test('leave calls to the client, while one of a socket was told before', async () => {
    let first = true;
    const live = await verdicts(
      {
        tell(payload) {
          const calls = first ? otherCall('socket', payload.timestamp) : [];
          first = false;
          return [...calls, payload];
        },
      },
      { runsTools: false },
    );
    expect(live.outcome).toBe('conformant');
    const apart = ['webhooks.tool-call.started', 'webhooks.tool-call.order', 'webhooks.tool-call.error'];
    expect(idsOf(live, 'not-applicable')).toEqual(expect.arrayContaining(apart));
  });

  const withId = (id: string | undefined): Behaviour => ({
    deliver({ headers: { 'webhook-id': _, ...headers }, ...delivery }) {
      return { ...delivery, headers: id === undefined ? headers : { ...headers, 'webhook-id': id } };
    },
  });
  const unnamed: Behaviour = {
    tell: (payload) => [payload.event === 'generation.done' ? { ...payload, data: {} } : payload],
  };
  const noon = '2026-01-01T12:00:00Z';
  const sameEnds: Behaviour = {
    tell: (payload) => [payload.event === 'generation.done' ? { ...payload, timestamp: noon, data: {} } : payload],
  };
  const twiceForOthers: Behaviour = {
    tell(payload, exchange) {
      if (payload.event !== 'generation.done') return [payload];
      const end = { ...payload, data: {} };
      return asked(exchange).tool_choice === undefined ? [end, end] : [];
    },
  };

  test('name no chat and have no id, but their own times: each counts', async () => {
    const live = await verdicts({ ...unnamed, ...withId(undefined) });
    expect(idsOf(live, 'fail', 'warn', 'inconclusive')).toEqual([]);
  });

  test.each<[string, Behaviour]>([
    ['name no chat, have no id and look the same', { ...sameEnds, ...withId(undefined) }],
    ['name no chat, and have one id for all', { ...unnamed, ...withId('subscription') }],
    ['may tell of one chat twice in the place of another', { ...twiceForOthers, ...withId(undefined) }],
  ])('%s: their number decides nothing', async (_, behaviour) => {
    const live = await verdicts(behaviour, { webhookTimeoutMs: 1_000 });
    const undecided = ['webhooks.generation.done', 'webhooks.delivery.once'];
    expect(idsOf(live, 'inconclusive')).toEqual(expect.arrayContaining(undecided));
    expect(idsOf(live, 'fail')).toEqual([]);
  });

  test('name neither a chat nor a call, and have no id: nothing tells whether one came twice', async () => {
    const live = await verdicts({ ...unnamed, ...withId(undefined) }, { options: { without: ['tools'] } });
    expect(idsOf(live, 'inconclusive')).toEqual(['webhooks.delivery.once']);
  });

  test.each<[string, Behaviour, Partial<RunOptions>]>([
    ['is said to lack tools and streams', {}, { without: ['tools', 'streaming'] }],
    [
      'declares that it has neither',
      inTurn(
        inBody('models', '/data/0/capabilities/tools', false),
        inBody('models', '/data/0/capabilities/streaming', false),
      ),
      {},
    ],
  ])('come from a target that %s: it is asked for neither', async (_, behaviour, options) => {
    const asking: string[] = [];
    const live = await verdicts(
      {
        ...behaviour,
        decide(refusal, step, exchange) {
          const { stream, tools } = asked(exchange);
          if (step === 'model' && (stream === true || tools !== undefined))
            asking.push(JSON.stringify(tools ?? stream));
          return refusal;
        },
      },
      { options },
    );
    expect(asking).toEqual([]);
    expect(live.outcome).toBe('conformant');
    const left = idsOf(live, 'not-applicable');
    expect(left).toEqual(expect.arrayContaining(['webhooks.tool-call.started', 'webhooks.delivery.order']));
    expect(left.filter((id) => !/^webhooks\.(tool-call\.|delivery\.order)/.test(id))).toEqual([]);
  });

  test('never come: that decides nothing', async () => {
    const { live } = await judge({ tell: () => [] }, { profile: 'webhooks', timeoutMs: 1_000 });
    expect(new Set(live.results.map(({ verdict }) => verdict))).toEqual(new Set(['inconclusive']));
  });

  test('hold what no schema foresees: each is a finding, none is an error', async () => {
    const bodies = [
      '',
      '[',
      '7',
      '"text"',
      'null',
      `${'['.repeat(50_000)}`,
      `{"event":${'['.repeat(9_000)}${']'.repeat(9_000)}}`,
    ];
    const live = await verdicts({
      tell: (payload) => [...bodies.map((_, place) => ({ ...payload, data: { place } })), payload],
      deliver(delivery) {
        const [, place] = /"place":(\d+)/.exec(delivery.body) ?? [];
        return place === undefined ? delivery : { ...delivery, body: bodies[Number(place)] ?? '' };
      },
    });
    expect(idsOf(live, 'error')).toEqual([]);
    expect(idsOf(live, 'fail')).toContain('webhooks.payload.json');
  });
});
