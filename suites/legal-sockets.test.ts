import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../reference-server/api-error.ts';
import type { Behaviour } from '../reference-server/behaviour.ts';
import { tokensAsked, typeOf } from '../reference-server/websocket/change-socket.ts';
import type { SocketBehaviour } from '../reference-server/websocket/socket-behaviour.ts';
import { renderJson } from './report/json.ts';
import { idsOf, judge, type Settings } from './test-rig.ts';

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
