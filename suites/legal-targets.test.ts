import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../reference-server/api-error.ts';
import type { Behaviour } from '../reference-server/behaviour.ts';
import { asked, inBody, inTurn } from '../reference-server/change.ts';
import { keyOfTier, parseKeys } from '../reference-server/keys/key-entries.ts';
import { startServer } from '../reference-server/server.ts';
import { executeCode } from '../reference-server/tools/execute-code.ts';
import { parseWebhook } from '../reference-server/webhooks/target.ts';
import { tokensAsked, typeOf } from '../reference-server/websocket/change-socket.ts';
import type { SocketBehaviour } from '../reference-server/websocket/socket-behaviour.ts';
import type { EvidenceHeader, EvidenceLine, RecordedLine, RunOptions } from '../specs/evidence.ts';
import type { ProfileName } from '../specs/profiles.ts';
import type { Report } from '../specs/report.ts';
import { replayClients } from './clients/client-runner.ts';
import { runLive } from './live-run.ts';
import { renderJson } from './report/json.ts';
import { run } from './run.ts';
import { trialBackend } from './self-test.ts';
import { tool } from './tool.ts';
import { skippingClock } from './transport/clock.ts';
import { openReplayWire } from './transport/replay.ts';
import { openReplayInbox } from './webhooks/inbox.ts';
import { openWebhookListener } from './webhooks/listener.ts';

const key = 'sk-legal-targets';
const exhaustedKey = 'sk-legal-exhausted';

interface Judged {
  readonly live: Report;
  /** The same evidence, judged again. */
  readonly again: Report;
}

interface Settings {
  readonly profile?: ProfileName;
  readonly keys?: Parameters<typeof startServer>[0]['keys'];
  readonly timeoutMs?: number;
  readonly webhookTimeoutMs?: number;
  readonly options?: Partial<RunOptions>;
  /** Of those that deliver webhooks; true by default. */
  readonly runsTools?: boolean;
}

async function judge(behaviour: Behaviour, settings: Settings = {}): Promise<Judged> {
  const { profile = 'standard', keys = [keyOfTier(key, 'free')], timeoutMs = 5_000, runsTools = true } = settings;
  const clock = skippingClock();
  const listener = profile === 'webhooks' ? await openWebhookListener('127.0.0.1', 0, clock) : undefined;
  const webhook = listener && {
    webhook: parseWebhook({ webhook_url: listener.url }, 'a test'),
    ...(runsTools && { tools: executeCode() }),
  };
  const exhausted = { ...keyOfTier(exhaustedKey, 'free'), tokensUsed: 100_000 };
  const server = await startServer({
    backend: trialBackend(),
    keys: [...keys, exhausted],
    behaviour,
    clock: clock.now,
    firstRetryMs: 20,
    ...webhook,
  });
  const options: RunOptions = {
    url: server.url,
    profile,
    only: [],
    disabledKey: false,
    exhaustedKey: true,
    ...(listener && { webhookUrl: listener.url }),
    ...settings.options,
  };
  const startedAt: EvidenceHeader['startedAt'] = new Date().toISOString();
  const lines: RecordedLine[] = [];
  const record = (line: EvidenceLine) => {
    if (line.kind !== 'header') lines.push(line);
  };
  try {
    const live = await runLive({
      options,
      key,
      disabledKey: undefined,
      exhaustedKey,
      timeoutMs,
      webhookTimeoutMs: settings.webhookTimeoutMs,
      concurrency: 4,
      clock,
      listener,
      startedAt,
      record,
    });
    const again = await run({
      options,
      wire: openReplayWire(lines),
      clients: replayClients(lines.filter((line) => line.kind === 'client')),
      inbox: openReplayInbox(lines),
      tool,
      startedAt,
    });
    return { live, again };
  } finally {
    await server.close();
    await listener?.close();
  }
}

const idsOf = ({ results }: Report, ...verdicts: readonly string[]) =>
  results.filter(({ verdict }) => verdicts.includes(verdict)).map(({ id }) => id);

describe('a target that is different, and legal', () => {
  test('declares that it does not stream: nothing of streams applies', async () => {
    const { live } = await judge({
      answer: (answer, exchange) =>
        inBody('models', '/data/0/capabilities/streaming', false).answer(
          inBody('model', '/capabilities/streaming', false).answer(answer, exchange),
          exchange,
        ),
      decide: (refusal, step, exchange) =>
        refusal ??
        (step === 'model' && asked(exchange).stream === true
          ? new ApiError('invalid_request', 'this model does not stream', { param: 'stream' })
          : undefined),
    });
    expect(live.outcome).toBe('conformant');
    const streamed = /^(stream|tools\.stream|tools\.delta)\./;
    // The server calls one function an answer.
    expect(idsOf(live, 'not-applicable').filter((id) => !streamed.test(id))).toEqual(['tools.call.id-unique']);
    expect(idsOf(live, 'not-applicable')).toContain('stream.status');
  });

  test('thinks for a hundred tokens before it speaks', async () => {
    const { live } = await judge({
      async *output(events, exchange) {
        const { tool_choice: choice } = asked(exchange);
        let tokens = choice === undefined || choice === 'auto' ? 0 : 100;
        for await (const event of events) {
          tokens += 1;
          if (event.type === 'end' || tokens > 100) yield event;
        }
      },
    });
    expect(idsOf(live, 'fail', 'warn', 'inconclusive')).toEqual([]);
  });

  test('declares that its models have no tools, and ignores them: nothing of tools applies', async () => {
    const { live } = await judge({
      ...inTurn(inBody('models', '/data/0/capabilities/tools', false), inBody('model', '/capabilities/tools', false)),
      generation: ({ forced: _, ...generation }) => generation,
    });
    expect(idsOf(live, 'fail', 'warn', 'inconclusive', 'error')).toEqual([]);
    const left = idsOf(live, 'not-applicable');
    expect(left.filter((id) => !/^(tools|chat\.tools|chat\.tool-choice)\./.test(id))).toEqual([]);
    expect(left).toEqual(expect.arrayContaining(['tools.choice.named', 'chat.tools.definition']));
  });

  test('answers in text where a call is forced, until max_tokens: that decides nothing of its calls', async () => {
    const { live } = await judge({ generation: ({ forced: _, ...generation }) => generation });
    expect(idsOf(live, 'fail', 'warn')).toEqual([]);
    expect(live.outcome).toBe('incomplete');
  });

  test('has a member error that is null in every chunk', async () => {
    const { live } = await judge({
      async *parts(parts) {
        for await (const part of parts) yield typeof part === 'string' ? part : { ...part, error: null };
      },
    });
    expect(live.outcome).toBe('conformant');
  });

  test('runs one request at a time', async () => {
    const limits = { requestsPerMinute: 100, tokensPerDay: 100_000, concurrent: 1 };
    const keys = parseKeys(JSON.stringify([{ key, tier: 'enterprise', limits }]), 'keys');
    for (const profile of ['standard', 'limits'] as const) {
      const { live } = await judge({}, { keys, profile, options: { tier: 'enterprise', concurrent: 1 } });
      expect(idsOf(live, 'fail', 'warn', 'inconclusive', 'error')).toEqual([]);
    }
  });

  test('is down for one request', async () => {
    let seen = 0;
    const { live } = await judge({
      decide: (refusal, step) => {
        if (step === 'body') seen += 1;
        return step === 'body' && seen === 20 ? new ApiError('service_unavailable', 'back in a moment') : refusal;
      },
    });
    expect(idsOf(live, 'fail', 'warn', 'inconclusive')).toEqual([]);
  });

  test('is late with a long answer: that decides nothing', async () => {
    const { live } = await judge(
      {
        async *output(events, exchange) {
          if (asked(exchange).max_tokens === undefined) await new Promise((resolve) => setTimeout(resolve, 1_500));
          yield* events;
        },
      },
      { timeoutMs: 1_000 },
    );
    expect(live.outcome).toBe('incomplete');
    expect(idsOf(live, 'fail', 'warn')).toEqual([]);
    expect(idsOf(live, 'inconclusive')).toEqual(['http.response.complete', 'chat.max-tokens.default']);
  });
});

describe('a target whose sockets are different', () => {
  test('never answers on them: that decides nothing', { timeout: 60_000 }, async () => {
    const { live, again } = await judge(
      { socket: { transmit: async () => {} } },
      { profile: 'websocket', timeoutMs: 500 },
    );
    expect(idsOf(live, 'fail', 'warn', 'error')).toEqual([]);
    expect(idsOf(live, 'inconclusive')).toContain('websocket.start.done');
    expect(renderJson(again)).toBe(renderJson(live));
  });

  test('ends them in the middle of every answer: nothing is passed that was not seen', async () => {
    const { live, again } = await judge(
      { socket: { transmit: async (channel, text) => channel.close(1001, text.slice(0, 20)) } },
      { profile: 'websocket' },
    );
    expect(idsOf(live, 'fail', 'warn', 'error')).toEqual([]);
    expect(idsOf(live, 'pass')).toEqual([
      'websocket.upgrade.status',
      'websocket.upgrade.rate-limit-headers',
      'websocket.protocol.sound',
    ]);
    expect(renderJson(again)).toBe(renderJson(live));
  });

  test('refuse what they cannot take by an error and a done', async () => {
    const done = { type: 'done', finish_reason: 'error' };
    const { live, again } = await judge(
      { socket: { reply: (message) => (typeOf(message) === 'error' ? [message, done] : [message]) } },
      { profile: 'websocket' },
    );
    expect(idsOf(live, 'fail', 'warn', 'inconclusive', 'error')).toEqual([]);
    expect(renderJson(again)).toBe(renderJson(live));
  });

  test('take any key in start, and are down for the first: that one is no refusal of its key', async () => {
    let starts = 0;
    const { live } = await judge(
      {
        socket: {
          keyPlaces: ['start'],
          decide(refusal, step, { received }) {
            if (step !== 'key' || received === undefined) return refusal;
            starts += 1;
            return starts === 1 ? new ApiError('internal_error', 'warming up') : undefined;
          },
        },
      },
      { options: { only: ['websocket.key.*'] } },
    );
    expect(idsOf(live, 'fail')).toEqual(['websocket.key.missing']);
  });

  test('count a start before they look at its key: that decides nothing of the key', async () => {
    const { live } = await judge(
      {
        socket: {
          decide: (refusal, step, { keyPlace }) =>
            step === 'key' && keyPlace === undefined ? new ApiError('rate_limit_exceeded', 'wait') : refusal,
        },
      },
      { profile: 'websocket', options: { only: ['websocket.key.*'] } },
    );
    expect(idsOf(live, 'fail')).toEqual([]);
    expect(idsOf(live, 'inconclusive')).toContain('websocket.key.missing');
  });

  test('drop a connection in the place of done', async () => {
    const drops: SocketBehaviour = {
      async transmit(channel, text) {
        if (text.includes('"done"')) channel.drop();
        else await channel.text(text);
      },
    };
    const { live, again } = await judge({ socket: drops }, { profile: 'websocket' });
    expect(idsOf(live, 'fail', 'warn', 'error')).toEqual(['websocket.start.done']);
    const reasons = live.results.flatMap(({ id, reason }) => (id === 'websocket.stop.done' ? [reason] : []));
    expect(reasons).toEqual(['the target dropped the connection without a close']);
    expect(renderJson(again)).toBe(renderJson(live));
  });

  test('drop the connection for a message that they cannot take: that decides nothing', async () => {
    const drops: SocketBehaviour = {
      async transmit(channel, text) {
        if (text.includes('"error"')) channel.drop();
        else await channel.text(text);
      },
    };
    const only = ['websocket.key.missing', 'websocket.start.unknown-model', 'websocket.message.malformed'];
    const { live } = await judge({ socket: drops }, { profile: 'websocket', options: { only } });
    expect(live.results.map(({ id, verdict, reason }) => [id, verdict, reason])).toEqual(
      only.map((id) => [id, 'inconclusive', 'the target dropped the connection without a close']),
    );
  });

  const paced = (ms: number, behaviour: SocketBehaviour = {}): Behaviour => ({
    socket: {
      ...behaviour,
      async *turn(messages, scene) {
        for await (const message of messages) {
          if (tokensAsked(scene) > 100 && ms > 0) await sleep(ms);
          yield message;
        }
      },
    },
  });
  const deaf: SocketBehaviour = { receive: (message) => (message.type === 'stop' ? undefined : message) };
  const ofStop: Settings = { options: { only: ['websocket.stop.*'] } };

  test('answer fast, and stop', async () => {
    const { live, again } = await judge(paced(3), ofStop);
    expect(idsOf(live, 'pass')).toEqual(['websocket.stop.content', 'websocket.stop.done']);
    expect(renderJson(again)).toBe(renderJson(live));
  });

  test('answer fast, and do not stop', async () => {
    const { live, again } = await judge(paced(3, deaf), ofStop);
    expect(idsOf(live, 'fail')).toEqual(['websocket.stop.content']);
    expect(renderJson(again)).toBe(renderJson(live));
  });

  test('answer at once: whether they stop cannot be seen', async () => {
    const { live } = await judge(paced(0, deaf), ofStop);
    expect(idsOf(live, 'inconclusive')).toEqual(['websocket.stop.content', 'websocket.stop.done']);
  });

  test('has none: that is one breach', async () => {
    const { live } = await judge({
      socket: { decide: (_, step) => (step === 'upgrade' ? new ApiError('invalid_request', 'none here') : undefined) },
    });
    expect(live.outcome).toBe('non-conformant');
    expect(idsOf(live, 'fail', 'warn', 'error')).toEqual(['websocket.upgrade.status']);
  });
});

test('a target that answers with the one model that it has, whatever was asked for, is not told of twice', async () => {
  const { live } = await judge({
    body: (body) => ({ ...Object(body), model: 'stack29/scripted' }),
  });
  const about = idsOf(live, 'fail', 'warn');
  expect(about).toEqual(['chat.model.required', 'chat.model.type', 'errors.model-not-found.status']);
});

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

describe('evidence that is judged again gives the report of the live run', () => {
  test.each(['standard', 'limits', 'websocket', 'webhooks'] as const)('with the profile %s', async (profile) => {
    const { live, again } = await judge({}, { profile, options: { tier: 'free' } });
    expect(live.outcome).toBe('conformant');
    expect(renderJson(again)).toBe(renderJson(live));
  });

  test('on a target that goes silent', { timeout: 60_000 }, async () => {
    let requests = 0;
    const silent: Behaviour = {
      async send(response, outgoing) {
        requests += 1;
        if (requests <= 15) response.writeHead(outgoing.status, outgoing.headers).end(outgoing.body);
      },
    };
    const { live, again } = await judge(silent, { timeoutMs: 500 });
    expect(live.outcome).not.toBe('conformant');
    expect(renderJson(again)).toBe(renderJson(live));
  });
});
