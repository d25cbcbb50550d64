import { expectArrived, need, violate } from '../expect.ts';
import { defineProbe, type Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { isFromTarget, refusedForNow } from '../socket.ts';
import { longTokens, mostStreams, needConcurrent, needRoom, tokensHeld } from './held-streams.ts';
import { saysPlaces, unnamed } from './refusal.ts';
import { proof } from './socket-parts.ts';
import { findPlace, type KeyPlace, placeCost, startText, talk } from './socket-place.ts';
import { generated } from './socket-turns.ts';

// A client that reads late is not tried: an answer that a run can pay for fits into the buffers of both systems, so that
// the target does not notice. Nor is it said how large a message may be, so that no size is held against a target.

/** Larger than any message that a documented example leads to, and small enough for the evidence. */
const longBytes = 256 * 2 ** 10;
/** It asks for nothing that takes tokens. */
const longMessage = JSON.stringify({ type: 'ping', padding: 'x'.repeat(longBytes) });

interface LongMessage {
  readonly reply: Reply;
  /** Another socket, opened after that. */
  readonly fresh: Reply;
}

const long = defineProbe<LongMessage>({
  name: 'a long message on a socket, and a generation on another after it',
  cost: { requests: placeCost.requests + 4, tokens: placeCost.tokens + 300 },
  exclusive: true,
  async act(target) {
    const place = await findPlace(target);
    const dialog = [{ send: longMessage }, { await: ['pong', 'error'] }, ...proof];
    const reply = await talk(target, place, dialog);
    return { reply, fresh: await startOn(target, place) };
  },
  judge: {
    'websocket.message.long': ({ reply, fresh }) => {
      need(reply.status === 101, `the socket for it was answered with ${reply.status}`);
      if (generated(fresh)) return;
      need(fresh.status !== 429 && !refusedForNow(fresh.messages), 'a limit of the key refused the start after it');
      const seen = fresh.failure ? 'no answer' : fresh.status === 101 ? 'no generation' : `status ${fresh.status}`;
      violate(fresh, 'a start on another socket after it', 'answered', seen);
    },
  },
});

interface Left {
  /** Sockets that were left amid their generations, as many as the tier runs at a time. */
  readonly left: readonly Reply[];
  /** A start after that; the last try where it was refused. */
  readonly next: Reply;
}

/** Milliseconds before each try. Together, the time in which a place is free again. */
const waits = [100, 600, 600, 700] as const;

const leaving = defineProbe<Left>({
  name: 'clients that leave amid generations over sockets, and a start after that',
  cost: {
    requests: placeCost.requests + 2 * mostStreams + 2 * waits.length + 2,
    tokens: placeCost.tokens + mostStreams * (longTokens + 250) + waits.length * 300,
    seconds: 65,
  },
  exclusive: true,
  async act(target) {
    const most = needConcurrent(target);
    const place = await findPlace(target);
    await needRoom(target, 2 * (most + waits.length));
    const send = startText(target, place, { max_tokens: tokensHeld(target) });
    // The end of a dialog closes its socket.
    const dialog = [{ send }, { await: ['content', 'done', 'error'] }];
    const left = await Promise.all(
      Array.from({ length: most }, () => talk(target, place, dialog, { unpaced: true, atOnce: true })),
    );
    return { left, next: await nextStart(target, place) };
  },
  judge: {
    'limits.shared.freed': ({ left, next }) => {
      need(left.every(generated), 'not as many generations as the tier runs at a time were begun');
      expectArrived(next);
      if (generated(next)) return;
      const error = next.messages.find((message) => isFromTarget(message, 'error'));
      need(
        next.status === 429 || refusedForNow(next.messages),
        'the start was refused, for another reason than a limit',
      );
      need(saysPlaces(next.status === 429 ? next.text : (error?.text ?? '')), unnamed);
      violate(next, 'a start two seconds after all others left', 'answered', 'refused for what runs at the same time');
    },
  },
});

async function nextStart(target: Target, place: KeyPlace): Promise<Reply> {
  const [first, ...more] = waits;
  let reply = await startOn(target, place, first);
  for (const wait of more) {
    if (generated(reply)) break;
    reply = await startOn(target, place, wait);
  }
  return reply;
}

/** Opens a socket, and starts a short generation on it. @param waitMs for which nothing is said at first */
function startOn(target: Target, place: KeyPlace, waitMs?: number): Promise<Reply> {
  const start = [{ send: startText(target, place, { max_tokens: 8 }) }, { await: ['done', 'error'] }];
  if (waitMs === undefined) return talk(target, place, start);
  return talk(target, place, [{ await: [], withinMs: waitMs }, ...start], { unpaced: true });
}

export const strainProbes = [long, leaving];
