import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import type { Exchange, Failure } from '../../specs/evidence.ts';
import { type GovernorSettings, govern } from './governor.ts';
import { openLiveWire } from './live.ts';
import { BudgetSpent, TargetSilent, type Wire, type WireRequest } from './wire.ts';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const chat = (step: number, maxTokens = 10, more: Partial<WireRequest> = {}): WireRequest => ({
  probe: 'a test',
  step,
  method: 'POST',
  path: '/chat/completions',
  credential: 'key',
  headers: {},
  body: JSON.stringify({ max_tokens: maxTokens }),
  ...more,
});

const models = (step: number): WireRequest => {
  const { body: _none, ...request } = chat(step);
  return { ...request, method: 'GET', path: '/models' };
};

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly failure?: Failure;
}

/** A clock that only sleeping moves, and a target on it that answers after `takesMs` and keeps what it was asked. */
function virtualTarget(answer: (request: WireRequest, at: number) => Answer, takesMs = 10) {
  let now = 1_700_000_000_000;
  const start = now;
  const sleepers: { readonly until: number; wake(): void }[] = [];
  const clock: GovernorSettings['clock'] & object = {
    now: () => now,
    sleep: (ms) => new Promise((wake) => sleepers.push({ until: now + ms, wake })),
  };
  const asked: { readonly step: number; readonly at: number }[] = [];
  let most = 0;
  let inFlight = 0;
  const wire: Wire = {
    async send(request): Promise<Exchange> {
      const sentTime = now;
      asked.push({ step: request.step, at: now - start });
      inFlight += 1;
      most = Math.max(most, inFlight);
      const { status = 200, headers = {}, body = '', failure } = answer(request, now);
      await clock.sleep(takesMs);
      inFlight -= 1;
      const { probe, step, method, path, credential } = request;
      return {
        kind: 'exchange',
        probe,
        step,
        request: { method, path, credential, headers: [] },
        sentAt: sentTime - start,
        sentTime,
        endedAt: now - start,
        ...(failure
          ? { failure }
          : { response: { status, headers: Object.entries(headers), pieces: [{ at: 0, text: body }] } }),
      };
    },
    close: async () => {},
  };
  /** Lets time pass until everything is settled. */
  async function settle<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const done = work.finally(() => {
      settled = true;
    });
    done.catch(() => {});
    for (;;) {
      await new Promise(setImmediate);
      if (settled) return done;
      sleepers.sort((one, other) => one.until - other.until);
      const next = sleepers.shift();
      if (!next) throw new Error('nothing will ever happen again');
      now = Math.max(now, next.until);
      next.wake();
    }
  }
  return { wire, clock, asked, settle, start, most: () => most };
}

function governed(target: ReturnType<typeof virtualTarget>, settings: Partial<GovernorSettings> = {}) {
  const told: string[] = [];
  const wire = govern(target.wire, {
    concurrency: 4,
    clock: target.clock,
    notify: (line) => told.push(line),
    ...settings,
  });
  const sendAll = (requests: readonly WireRequest[]) =>
    target.settle(Promise.allSettled(requests.map((request) => wire.send(request))));
  return { wire, told, sendAll };
}

const reasons = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.map((result) => (result.status === 'fulfilled' ? 'sent' : result.reason));
const steps = (count: number, of: (step: number) => WireRequest) =>
  Array.from({ length: count }, (_, step) => of(step));
const usage = (total: number) => ({ body: JSON.stringify({ usage: { total_tokens: total } }) });

test('a request that is not to go before a moment waits for it, and holds no other back', async () => {
  const target = virtualTarget(() => ({}));
  const { sendAll, told } = governed(target);
  await sendAll([
    chat(0, 10, { notBefore: target.start + 5_000 }),
    chat(1),
    chat(2, 10, { notBefore: target.start - 1 }),
  ]);
  expect(target.asked.map(({ step }) => step)).toEqual([1, 2, 0]);
  expect(target.asked.at(-1)?.at).toBe(5_000);
  expect(told).toEqual(['waiting 5 s, as a probe asks for']);
});

describe('concurrency', () => {
  test('does not hold what is to go at once', async () => {
    const target = virtualTarget(() => ({}));
    await governed(target, { concurrency: 2 }).sendAll(steps(5, (step) => chat(step, 10, { atOnce: true })));
    expect(target.most()).toBe(5);
  });

  test('is not lowered by the refusal of what was to go at once, nor by that of another key', async () => {
    const refusing = virtualTarget(({ step }) => ({
      status: step < 6 ? 429 : 200,
      headers: { 'x-ratelimit-remaining': '90', 'x-ratelimit-reset': String(refusing.start / 1000 + 60) },
    }));
    const { sendAll, told } = governed(refusing, { concurrency: 4 });
    await sendAll([
      ...steps(3, (step) => chat(step, 10, { unpaced: true, atOnce: true })),
      ...steps(3, (step) => chat(step + 3, 10, { unpaced: true, credential: 'exhausted' })),
    ]);
    expect(told).toEqual([]);
  });

  test.each([1, 3, 7])('%i requests at once, in the order in which they were asked for', async (concurrency) => {
    const target = virtualTarget(() => ({}));
    await governed(target, { concurrency }).sendAll(steps(30, models));
    expect(target.most()).toBe(concurrency);
    expect(target.asked.map(({ step }) => step)).toEqual(steps(30, models).map(({ step }) => step));
  });

  test('is kept over real sockets', async () => {
    let open = 0;
    let most = 0;
    const server = createServer((_request, response) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.end('{}');
      }, 5);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const address = server.address();
    const baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/v1`;
    const live = openLiveWire({ baseUrl, key: undefined, timeoutMs: 2000, userAgent: 'test/1', startedAt: 0 });
    const wire = govern(live, { concurrency: 3 });
    const exchanges = await Promise.all(steps(30, models).map((request) => wire.send(request)));
    expect(exchanges.filter(({ response }) => response?.status === 200)).toHaveLength(30);
    expect(most).toBe(3);
  });

  test('a fault of the suite in one request holds up no other', async () => {
    const target = virtualTarget(() => ({}));
    const broken: Wire = {
      ...target.wire,
      send: (request) => (request.step % 2 ? Promise.reject(new Error('broken')) : target.wire.send(request)),
    };
    const wire = govern(broken, { concurrency: 1, clock: target.clock });
    const results = await target.settle(Promise.allSettled(steps(6, models).map((request) => wire.send(request))));
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true, false, true, false]);
  });
});

describe('the bound on requests', () => {
  test('is never passed, and the rest is told which flag raises it', async () => {
    const target = virtualTarget(() => ({}));
    const results = reasons(await governed(target, { maxRequests: 5 }).sendAll(steps(8, models)));
    expect(target.asked).toHaveLength(5);
    expect(results.slice(0, 5)).toEqual(Array(5).fill('sent'));
    for (const reason of results.slice(5)) {
      expect(reason).toBeInstanceOf(BudgetSpent);
      expect(reason).toMatchObject({ message: 'the bound of 5 requests is reached; --max-requests raises it' });
    }
  });
});

describe('the bound on tokens', () => {
  const size = Buffer.byteLength(chat(0).body ?? '');

  test('counts what a request may take where the target does not say', async () => {
    const target = virtualTarget(() => ({}));
    const results = reasons(await governed(target, { maxTokens: 3 * (size + 10) }).sendAll(steps(4, chat)));
    expect(target.asked).toHaveLength(3);
    expect(results[3]).toBeInstanceOf(BudgetSpent);
    expect(results[3]).toMatchObject({
      message: `a request of up to ${size + 10} tokens does not fit the 0 left of ${3 * (size + 10)}; --max-tokens raises the bound`,
    });
  });

  test('counts what was used where the target says it, and waits for that before it refuses', async () => {
    const target = virtualTarget(() => usage(5));
    const results = reasons(await governed(target, { maxTokens: size + 10 + 5 * 9 }).sendAll(steps(12, chat)));
    expect(results.filter((result) => result === 'sent')).toHaveLength(10);
    expect(results.slice(10).every((result) => result instanceof BudgetSpent)).toBe(true);
  });

  test('a cheaper request still fits where a dear one does not', async () => {
    const target = virtualTarget(() => usage(1));
    const results = reasons(await governed(target, { maxTokens: 100 }).sendAll([chat(0, 500), chat(1), models(2)]));
    expect(results.map((result) => result === 'sent')).toEqual([false, true, true]);
  });
});

describe('the rate limit', () => {
  const limited = (limit: number) => {
    let window = 0;
    let used = 0;
    return (_request: WireRequest, at: number): Answer => {
      if (at >= window) {
        window = (Math.floor(at / 60_000) + 1) * 60_000;
        used = 0;
      }
      used += 1;
      const headers = {
        'X-RateLimit-Limit': String(limit),
        'X-RateLimit-Remaining': String(Math.max(limit - used, 0)),
        'X-RateLimit-Reset': String(window / 1000),
      };
      return used > limit ? { status: 429, headers } : { headers, ...usage(1) };
    };
  };
  const statuses = (results: readonly PromiseSettledResult<Exchange>[]) =>
    results.map((result) => (result.status === 'fulfilled' ? result.value.response?.status : undefined));

  test.each([1, 4, 9])('is never met, with %i requests at once', async (concurrency) => {
    const target = virtualTarget(limited(10));
    const { sendAll, told } = governed(target, { concurrency });
    expect(statuses(await sendAll(steps(25, chat)))).toEqual(Array(25).fill(200));
    expect(told).toHaveLength(2);
    expect(told[0]).toMatch(/^waiting \d+ s for the rate limit window$/);
  });

  test('is not kept from a request that spends it on purpose', async () => {
    const target = virtualTarget(limited(10));
    const { sendAll, told } = governed(target);
    const results = statuses(await sendAll(steps(12, (step) => chat(step, 10, { unpaced: true }))));
    expect(results.filter((status) => status === 429)).toHaveLength(2);
    expect(told).toEqual([]);
  });

  test('that headers claim to be spent for ever is waited for once', async () => {
    const target = virtualTarget((_request, at) => ({
      headers: { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': String(Math.ceil(at / 1000) + 30) },
    }));
    const { sendAll, told } = governed(target);
    await sendAll(steps(40, models));
    expect(target.asked).toHaveLength(40);
    expect(told).toHaveLength(1);
    expect(target.asked.at(-1)?.at).toBeLessThan(40_000);
  });

  test.each([
    ['a far reset', { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '99999999999' }],
    ['a reset in seconds from now', { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '60' }],
    ['words', { 'X-RateLimit-Remaining': 'none', 'X-RateLimit-Reset': 'soon' }],
  ])('headers with %s hold nothing up', async (_name, headers) => {
    const target = virtualTarget(() => ({ headers }));
    const { sendAll, told } = governed(target);
    await sendAll(steps(10, models));
    expect(told).toEqual([]);
  });

  test.each([
    ['Retry-After in seconds', { 'Retry-After': '7' }, 7000],
    ['Retry-After as a date', { 'Retry-After': new Date(1_700_000_009_000).toUTCString() }, 9000],
    ['a reset', { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '1700000020' }, 21_000],
    ['nothing', {}, 1010],
  ])('a 429 with %s holds back what follows for so long', async (_name, headers, until) => {
    const target = virtualTarget(({ step }) => (step === 0 ? { status: 429, headers } : {}));
    const { sendAll } = governed(target, { concurrency: 1 });
    await sendAll(steps(2, models));
    const at = target.asked[1]?.at ?? 0;
    expect(at).toBeGreaterThanOrEqual(until);
    expect(at).toBeLessThanOrEqual(until + 20);
  });

  test('a 429 that lasts a day holds nothing up', async () => {
    const target = virtualTarget(() => ({ status: 429, headers: { 'Retry-After': '86400' } }));
    const { sendAll, told } = governed(target);
    await sendAll(steps(5, models));
    expect(told).toEqual([]);
  });

  test('a 429 to another key says nothing of this one', async () => {
    const target = virtualTarget(() => ({ status: 429, headers: { 'Retry-After': '30' } }));
    const { sendAll, told } = governed(target);
    await sendAll(steps(5, (step) => ({ ...models(step), credential: 'unknown' })));
    expect(told).toEqual([]);
  });
});

describe('a silent target', () => {
  const refused: Answer = { failure: { kind: 'refused', message: 'connection refused by 127.0.0.1:9' } };

  test('is left alone after three failures in a row', async () => {
    const target = virtualTarget(() => refused);
    const results = reasons(await governed(target, { concurrency: 1 }).sendAll(steps(6, models)));
    expect(target.asked).toHaveLength(3);
    expect(results.slice(0, 3)).toEqual(['sent', 'sent', 'sent']);
    expect(results[5]).toBeInstanceOf(TargetSilent);
    expect(results[5]).toMatchObject({
      message: 'the target gave no response 3 times in a row (connection refused by 127.0.0.1:9)',
    });
  });

  test('is not one that answers in between', async () => {
    const target = virtualTarget(({ step }) => (step % 3 === 2 ? { status: 500 } : refused));
    const results = reasons(await governed(target, { concurrency: 1 }).sendAll(steps(9, models)));
    expect(results).toEqual(Array(9).fill('sent'));
  });

  test('is not one that closes connections', async () => {
    const target = virtualTarget(() => ({ failure: { kind: 'closed', message: 'closed without a response' } }));
    const results = reasons(await governed(target).sendAll(steps(9, models)));
    expect(results).toEqual(Array(9).fill('sent'));
  });
});
