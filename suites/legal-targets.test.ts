import { describe, expect, test } from 'vitest';
import { ApiError } from '../reference-server/api-error.ts';
import type { Behaviour } from '../reference-server/behaviour.ts';
import { asked, inBody, inTurn } from '../reference-server/change.ts';
import { keyOfTier, parseKeys } from '../reference-server/keys/key-entries.ts';
import { startServer } from '../reference-server/server.ts';
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

const key = 'sk-legal-targets';

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
}

async function judge(behaviour: Behaviour, settings: Settings = {}): Promise<Judged> {
  const { profile = 'standard', keys = [keyOfTier(key, 'free')], timeoutMs = 5_000 } = settings;
  const clock = skippingClock();
  const server = await startServer({ backend: trialBackend(), keys, behaviour, clock: clock.now });
  const options: RunOptions = { url: server.url, profile, only: [], disabledKey: false, ...settings.options };
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
      timeoutMs,
      concurrency: 4,
      clock,
      startedAt,
      record,
    });
    const clientRuns = lines.filter((line) => line.kind === 'client');
    const again = await run({
      options,
      wire: openReplayWire(lines),
      clients: replayClients(clientRuns),
      tool,
      startedAt,
    });
    return { live, again };
  } finally {
    await server.close();
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
    expect(idsOf(live, 'not-applicable').filter((id) => !streamed.test(id))).toEqual([]);
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
    expect(left).toContain('tools.choice.named');
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

describe('evidence that is judged again gives the report of the live run', () => {
  test.each(['standard', 'limits', 'websocket'] as const)('with the profile %s', async (profile) => {
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
