import { describe, expect, test } from 'vitest';
import { ApiError } from '../reference-server/api-error.ts';
import type { Behaviour } from '../reference-server/behaviour.ts';
import { asked, inBody, inTurn } from '../reference-server/change.ts';
import { parseKeys } from '../reference-server/keys/key-entries.ts';
import { renderJson } from './report/json.ts';
import { idsOf, judge, key } from './test-rig.ts';

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

  test('does not know the key that is said to be one of a disabled account: that decides nothing', async () => {
    const { live } = await judge(
      {},
      { profile: 'full', disabledKey: 'sk-legal-unknown', options: { only: ['auth.*'] } },
    );
    expect(idsOf(live, 'fail', 'warn', 'error')).toEqual([]);
    expect(idsOf(live, 'inconclusive')).toEqual(['auth.disabled.status', 'auth.disabled.identifier']);
    const { reason } = live.results.find(({ id }) => id === 'auth.disabled.status') ?? {};
    expect(reason).toContain('refused with 401, as an unknown one is: give --disabled-key');
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

test('a target that answers with the one model that it has, whatever was asked for, is not told of twice', async () => {
  const { live } = await judge({
    body: (body) => ({ ...Object(body), model: 'stack29/scripted' }),
  });
  const about = idsOf(live, 'fail', 'warn');
  expect(about).toEqual(['chat.model.required', 'chat.model.type', 'errors.model-not-found.status']);
});

test('a target that fails on every image in a data URL is told once, whatever the image', async () => {
  const { live } = await judge(
    {
      decide: (refusal, step, exchange) =>
        refusal ??
        (step === 'body' && JSON.stringify(asked(exchange)).includes('data:image/png')
          ? new ApiError('internal_error', 'images are not supported')
          : undefined),
    },
    { profile: 'vision' },
  );
  expect(idsOf(live, 'fail', 'warn')).toEqual(['vision.data-url', 'vision.declared']);
  const untold = ['vision.detail', 'vision.detail.unknown', 'vision.data-url.broken', 'vision.data-url.oversized'];
  expect(idsOf(live, 'not-applicable')).toEqual(expect.arrayContaining(untold));
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
