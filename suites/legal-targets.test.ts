import { describe, expect, test } from 'vitest';
import { ApiError } from '../reference-server/api-error.ts';
import type { Behaviour } from '../reference-server/behaviour.ts';
import { asked, inBody, inTurn } from '../reference-server/change.ts';
import { keyOfTier, parseKeys } from '../reference-server/keys/key-entries.ts';
import { startServer } from '../reference-server/server.ts';
import { executeCode } from '../reference-server/tools/execute-code.ts';
import { parseWebhook } from '../reference-server/webhooks/target.ts';
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
