import { expectArrived, need, violate } from '../expect.ts';
import { defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { contentOf, isStart, refusedForNow } from '../socket.ts';
import { sure } from './answer.ts';
import {
  endOf,
  graceMs,
  hold,
  longTokens,
  mostStreams,
  needConcurrent,
  needRoom,
  sorted,
  startOf,
  tokensHeld,
} from './held-streams.ts';
import { needForPlaces, unnamed } from './refusal.ts';
import { findPlace, placeCost, startText, talk } from './socket-place.ts';
import { generated, isDone } from './socket-turns.ts';

interface Shared {
  /** Chats that the tier runs at the same time. */
  readonly most: number;
  /** Begun together, as many as that. */
  readonly streams: readonly Reply[];
  /** A generation begun beside them. */
  readonly socket: Reply;
  /** A chat when all of them had ended. */
  readonly next: Reply;
}

/** When a generation was asked for, and ran. */
interface Span {
  readonly askedAt: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

export const sharedPlaces = defineProbe<Shared>({
  name: 'as many streams as the tier runs at a time, and a generation over a socket beside them',
  cost: {
    requests: placeCost.requests + mostStreams + 6,
    tokens: placeCost.tokens + (mostStreams + 1) * (longTokens + 250) + 500,
    seconds: 65,
  },
  exclusive: true,
  async act(target) {
    const most = needConcurrent(target);
    const place = await findPlace(target);
    await needRoom(target, most + 4);
    const max_tokens = tokensHeld(target);
    const dialog = [{ send: startText(target, place, { ...sure, max_tokens }) }, { await: ['done', 'error'] }];
    // A socket has a way more to go to its start than a stream, so it mostly finds all places taken.
    const held = Array.from({ length: most }, () => hold(target, max_tokens));
    const socket = await talk(target, place, dialog, { unpaced: true, atOnce: true });
    return { most, streams: await Promise.all(held), socket, next: await target.chat({ max_tokens: 1 }) };
  },
  judge: {
    'limits.shared.concurrent': ({ most, streams, socket, next }) => {
      const { admitted, refused } = sorted(streams);
      expectArrived(socket);
      const [first] = refused;
      need(first === undefined || first.status === 429, `a stream was answered with ${first?.status}`);
      if (first) return needForPlaces(first, next);
      if (socket.status === 429 || refusedForNow(socket.messages)) {
        need(next.status === 200, unnamed);
        return;
      }
      need(generated(socket), 'the start was refused, for another reason than a limit');
      const spans = [...admitted.map(spanOf), spanOfSocket(socket)];
      const free = Math.min(...spans.map(({ endedAt }) => endedAt));
      const together = spans.every(({ startedAt }) => startedAt < free - graceMs);
      if (together) violate(socket, 'generations under way at the same time', `at most ${most}`, `${spans.length}`);
      const waited = spans.some(
        ({ askedAt, startedAt }) => startedAt - askedAt > 2 * graceMs && startedAt > free - graceMs,
      );
      need(waited, 'the answers end too soon to be under way together');
    },
  },
});

function spanOf(stream: Reply): Span {
  return { askedAt: stream.exchange.sentAt, startedAt: startOf(stream), endedAt: endOf(stream) };
}

function spanOfSocket({ exchange, messages }: Reply): Span {
  const at = (index: number) => messages[index]?.frame.at ?? exchange.endedAt;
  return {
    askedAt: at(messages.findIndex(isStart)),
    startedAt: at(messages.findIndex((message) => contentOf(message) !== '')),
    endedAt: at(messages.findIndex(isDone)),
  };
}
