import { afterEach, describe, expect, test, vi } from 'vitest';
import { BackendUnavailable, type Generation, type GenerationEvent } from './backend.ts';
import { type GgufClient, GgufStartError, startGguf } from './gguf-client.ts';
import { childPids, endless, request, shippedOptions } from './gguf-rig.ts';

// The server's side of what it says with the process of a model, against the real one.

/** Each start of a model takes seconds on a busy machine. */
const slow = { timeout: 180_000 };
const never = new AbortController().signal;

let closing = new AbortController();
afterEach(() => {
  closing.abort();
  closing = new AbortController();
});
/** One with a single sequence, so that what is not given up holds up all others. */
const start = () => startGguf({ ...shippedOptions, sequences: 1 }, closing.signal);

/** Each request has a signal of its own, as those of a server have. */
async function run(
  client: GgufClient,
  generation: Generation,
  signal = new AbortController().signal,
): Promise<GenerationEvent[]> {
  const events: GenerationEvent[] = [];
  for await (const event of client.generate(generation, signal)) events.push(event);
  return events;
}

/** One that was killed is gone a moment later. */
async function noProcessIsLeft(): Promise<void> {
  const isGone = () =>
    childPids().then(
      () => false,
      () => true,
    );
  await vi.waitUntil(isGone, { timeout: 60_000 });
}

const answered = expect.objectContaining({ type: 'end', completionTokens: 32 });
const long = request(endless, { maxTokens: 4000 });

test(
  'a process that dies in the middle of an answer ends it, who waits in line, and who comes after',
  slow,
  async () => {
    const client = await start();
    const [pid = 0] = await childPids();
    let heard = 0;
    const listening = (async () => {
      for await (const _ of client.generate(long, never)) {
        heard += 1;
        if (heard === 5) process.kill(pid, 'SIGKILL');
      }
    })();
    // So many that the process still has one to answer if this one stands still before it ends the process.
    const waiting = Array.from({ length: 20 }, () => run(client, long));
    const results = await Promise.allSettled([listening, ...waiting]);
    const whole = results.findIndex(({ status }) => status === 'rejected');
    expect(whole).toBeGreaterThanOrEqual(0);
    const gone = { status: 'rejected', reason: expect.any(BackendUnavailable) };
    expect(results.slice(whole)).toEqual(results.slice(whole).map(() => gone));
    expect(heard).toBeGreaterThanOrEqual(5);
    expect(await client.ended).toContain('SIGKILL');
    expect(client.isRunning).toBe(false);
    await expect(client.countPrompt(long.messages, never)).rejects.toThrow(BackendUnavailable);
    await expect(run(client, long)).rejects.toThrow(BackendUnavailable);
  },
);

describe('what is said of a request that is gone', () => {
  test('is heard by nobody, and the sequence is for the next one', slow, async () => {
    const client = await start();
    for await (const event of client.generate(long, never)) {
      expect(event.type).toBe('text');
      break;
    }
    const first = await run(client, request('Hello'));
    const leaving = new AbortController();
    const left = run(client, long, leaving.signal);
    leaving.abort();
    expect(await left).toEqual([]);
    // Events of the one that is gone would stand among these.
    expect(await run(client, request('Hello'))).toEqual(first.with(-1, expect.objectContaining({ type: 'end' })));
    expect((await run(client, request(endless))).at(-1)).toEqual(answered);
  });

  test('does not reach who left the line while another has the sequence', slow, async () => {
    const client = await start();
    const running = client.generate(long, never);
    await running.next();
    const leaving = new AbortController();
    const left = run(client, request('Hello'), leaving.signal);
    const next = run(client, request(endless));
    leaving.abort();
    expect(await left).toEqual([]);
    await running.return();
    expect((await next).at(-1)).toEqual(answered);
  });

  test('of a prompt that was to be counted is nothing', slow, async () => {
    const client = await start();
    const leaving = new AbortController();
    const left = client.countPrompt(request('a '.repeat(15_000)).messages, leaving.signal);
    const next = client.countPrompt(request('Hello').messages, never);
    leaving.abort();
    expect(await left).toBe(0);
    expect(await next).toBeGreaterThan(5);
    expect(await next).toBeLessThan(50);
  });
});

describe('a start that fails', () => {
  test('says why, and leaves no process', slow, async () => {
    await expect(startGguf({ ...shippedOptions, modelPath: '/nowhere.gguf' }, never)).rejects.toThrow(
      'cannot load the model /nowhere.gguf: the file cannot be opened (ENOENT)',
    );
    await noProcessIsLeft();
  });

  test('that nobody waits for any more is ended', slow, async () => {
    const starting = start();
    closing.abort();
    await expect(starting).rejects.toThrow(GgufStartError);
    await noProcessIsLeft();
  });
});
