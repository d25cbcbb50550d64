import { expectArrived, expectStatus, expectThat, need, violate } from '../expect.ts';
import { member } from '../member.ts';
import { defineProbe, type Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { contentOf, isFromTarget, refusedForNow, type SocketMessage } from '../socket.ts';
import { graceMs, longerTokens, longPart, longTokens, parts } from './socket-parts.ts';
import { placeOf, startText, talk, tryPlaces } from './socket-place.ts';
import {
  expectErrorTo,
  expectRefusedKey,
  generated,
  isClose,
  isDone,
  isDropped,
  isKeyRefused,
  isOfKey,
  isSent,
  needProof,
  textOf,
  turnsOf,
} from './socket-turns.ts';

interface Sockets {
  /** One socket a place that was tried. */
  readonly attempts: readonly Reply[];
  /** Further sockets, for what was left to say when the target closed one. */
  readonly further: readonly Reply[];
  /** A longer answer that is told to stop; absent where the long one showed what stop does. */
  readonly longer?: Reply;
  /** The socket without a key; absent where none with the key generated. */
  readonly keyless?: Reply;
}

const chat = defineProbe<Sockets>({
  name: 'a conversation over a socket',
  cost: { requests: 8, tokens: 2_550 },
  exclusive: true,
  async act(target) {
    const attempts = await tryPlaces(target, (place) => parts(target, place).flat());
    const last = attempts.at(-1);
    if (!last || !generated(last)) return { attempts, further: [] };
    const further = await sayTheRest(target, last);
    const place = placeOf(last);
    const tokens = longerTokens(target);
    const longer =
      tokens > longTokens && longTurns({ attempts, further }).length > 0 && !stopped({ attempts, further })
        ? await talk(target, place, longPart(target, place, tokens))
        : undefined;
    // A target that took the key elsewhere may have refused a socket for having none in that place.
    const before = attempts.at(-2);
    const keyless =
      before && isKeyRefused(before)
        ? before
        : await target.send('GET', '/ws/chat', undefined, {
            credential: 'none',
            dialog: [{ send: startText(target, 'header') }, { await: ['content', 'done', 'error'] }],
          });
    return { attempts, further, ...(longer && { longer }), keyless };
  },
  judge: {
    'websocket.upgrade.status': ({ attempts }) => {
      const reply = attempts.find(({ status }) => status === 101) ?? lastOf(attempts);
      need(reply.status !== 401 && reply.status !== 403, 'the target does not accept the key of a socket');
      return expectStatus(reply, 101);
    },
    'websocket.key.accepted': ({ attempts }) => {
      const reply = lastOf(attempts);
      if (generated(reply)) return;
      expectArrived(reply);
      const refused = attempts.every(isKeyRefused);
      need(refused, 'no socket with the key generated anything, for another reason than the key');
      return violate(reply, 'key in header, start and query', 'accepted in one of them', 'refused in all');
    },
    'websocket.key.missing': ({ keyless }) => {
      need(keyless !== undefined, 'no socket with the valid key generated anything, so a refusal proves nothing');
      return expectRefusedKey(keyless);
    },
    'websocket.start.answered': ({ attempts }) => {
      const reply = openOf(attempts);
      const [first = []] = turnsOf(reply);
      const error = first.find((message) => isFromTarget(message, 'error'));
      need(!refusedForNow(first), 'a limit of the key refused the start, also when it was sent again');
      need(!isOfKey(error), 'the target does not accept the key of a socket');
      expectThat(reply, 'answer to a start', error === undefined, 'content', error?.json);
      const text = textOf(first);
      need(text !== '', 'the answer has no text; choose another model with --model');
    },
    'websocket.content.incremental': ({ attempts }) => {
      const reply = openOf(attempts);
      const [first = []] = turnsOf(reply);
      need(textOf(first).length > 1, 'the answer has no more than one character');
      const pieces = first.filter((message) => contentOf(message) !== '').length;
      return expectThat(reply, 'messages with content', pieces > 1, 'at least 2', pieces);
    },
    'websocket.start.done': (seen) => {
      const { reply, turn } = turnOf(seen, 0);
      if (turn.some(isDone)) return;
      need(textOf(turn) !== '', 'the start was not answered with content');
      const close = turn.find(isClose);
      if (close) violate(reply, 'after the content', 'done', `a close with ${close.frame.code ?? 'no status'}`);
      if (isDropped(reply, turn)) violate(reply, 'after the content', 'done', 'the end of the connection');
      const { turn: next } = turnOf(seen, 1);
      const begun = next.findIndex((message) => contentOf(message) !== '');
      const late = next.findIndex(isDone);
      need(begun >= 0 && (late < 0 || begun < late), 'done came too late; --timeout gives it more time');
      return violate(reply, 'after the content', 'done', 'nothing, though the next start was answered with content');
    },
    'websocket.ping.pong': (seen) => {
      const replies = generating(seen);
      if (replies.some(({ messages }) => messages.some((message) => isFromTarget(message, 'pong')))) return;
      const reply = replies.find(({ messages }) => {
        const asked = messages.findIndex((message) => isSent(message, 'ping'));
        return asked >= 0 && messages.slice(asked).some(({ fromTarget, type }) => fromTarget && type !== undefined);
      });
      need(reply !== undefined, 'nothing at all came after a ping');
      return violate(reply, 'after a ping', 'pong', 'none, though what was sent later was answered');
    },
    'websocket.ping.while-generating': (seen) => {
      turnOf(seen, 1);
      const { reply, turn } = longTurns(seen).at(-1) ?? {};
      need(reply !== undefined && turn !== undefined, 'the long answer did not begin');
      const asked = turn.findIndex((message) => isSent(message, 'ping'));
      const sentAt = turn[asked]?.frame.at ?? 0;
      need(asked >= 0 && !turn.slice(0, asked).some(isDone), 'the generation ended before the ping was sent');
      // What comes after another message of the suite may be an answer to that one.
      const next = turn.findIndex((message, index) => index > asked && !message.fromTarget);
      const rest = turn.slice(asked, next < 0 ? undefined : next);
      const first = rest.findIndex((message) => isFromTarget(message, 'pong') || isDone(message));
      const pong = rest.at(first);
      if (first >= 0 && pong && !isDone(pong)) {
        if (pong.frame.at <= sentAt + graceMs) return;
        // A suite that had no time to read finds at once what had arrived long before.
        const onTime = rest.slice(1, first).findLast(({ frame }) => frame.at <= sentAt + graceMs);
        const hadTime = onTime !== undefined && onTime.frame.at > sentAt + graceMs / 2;
        need(hadTime, 'the pong came too late to tell whether it was sent or read too late');
        violate(reply, 'pong while generating', `within ${graceMs / 1000} s`, `one ${since(sentAt, pong)}`);
      }
      const late = turn.slice(asked).find((message) => isLate(message, sentAt));
      need(late !== undefined, `the generation did not go on for ${graceMs / 1000} s after the ping`);
      return violate(reply, 'pong while generating', `within ${graceMs / 1000} s`, `content ${since(sentAt, late)}`);
    },
    'websocket.stop.content': (seen) => {
      const { reply, rest, stoppedAt } = stoppedTurn(seen);
      const last = rest.findLast((message) => isLate(message, stoppedAt));
      if (last) {
        violate(reply, 'content after stop', `none after ${graceMs / 1000} s`, `content ${since(stoppedAt, last)}`);
      }
      if (!rest.some((message) => isDone(message) || isClose(message))) needProof(reply, rest, 'the stop');
    },
    'websocket.stop.done': (seen) => {
      const { reply, rest } = stoppedTurn(seen);
      if (rest.some(isDone)) return;
      needProof(reply, rest, 'the stop');
      const next = generating(seen).flatMap(turnsIn).at(2)?.turn ?? [];
      // The done of what an error refused is none of the long answer.
      const late = next.find((message) => isDone(message) || isFromTarget(message, 'error'));
      need(late === undefined || !isDone(late), 'done came too late; --timeout gives it more time');
      return violate(reply, 'after stop', 'done', 'nothing, though a later ping was answered');
    },
    'websocket.start.unknown-model': (seen) => {
      const { reply, turn } = turnOf(seen, 2);
      return expectErrorTo(reply, turn);
    },
  },
});

/** Says on further sockets what was left to say when the target closed one, as it may after done or an error. */
async function sayTheRest(target: Target, first: Reply): Promise<readonly Reply[]> {
  const place = placeOf(first);
  const all = parts(target, place);
  const further: Reply[] = [];
  let said = turnsIn(first).length;
  for (let last = first; said < all.length && (last.messages.some(isClose) || isDropped(last)); ) {
    last = await talk(target, place, all.slice(said).flat());
    further.push(last);
    const more = turnsIn(last).length;
    if (more === 0) break;
    said += more;
  }
  return further;
}

function lastOf(attempts: readonly Reply[]): Reply {
  const reply = attempts.at(-1);
  need(reply !== undefined, 'no socket was asked for');
  return reply;
}

/** The sockets that a conversation was had on. */
function generating({ attempts, further }: Sockets): readonly Reply[] {
  const first = lastOf(attempts);
  need(generated(first), 'no socket with the valid key generated anything');
  return [first, ...further];
}

/** The last socket that was opened. */
function openOf(attempts: readonly Reply[]): Reply {
  const reply = attempts.findLast(({ status }) => status === 101);
  need(reply !== undefined, 'no socket was opened');
  return reply;
}

interface Turn {
  readonly reply: Reply;
  readonly turn: readonly SocketMessage[];
}

/** The starts on a socket that were heard: one after others that only ends the socket is said again on the next. */
function turnsIn(reply: Reply): readonly Turn[] {
  const turns = turnsOf(reply);
  const last = turns.at(-1) ?? [];
  const ended = last.some(isClose) || isDropped(reply, last);
  const isUnheard = turns.length > 1 && ended && last.every((message) => !message.fromTarget || isClose(message));
  return turns.slice(0, isUnheard ? -1 : undefined).map((turn) => ({ reply, turn }));
}

/** The start of one part, and what followed it. */
function turnOf(seen: Sockets, part: number): Turn {
  const found = generating(seen).flatMap(turnsIn).at(part);
  need(found !== undefined, 'the socket ended before this was sent');
  return found;
}

/** The long answers that began; the longer one last. */
function longTurns({ longer, ...seen }: Sockets): readonly Turn[] {
  const long = generating(seen).flatMap(turnsIn).at(1);
  const more = longer && turnsIn(longer).at(0);
  return [long, more].filter((one) => one !== undefined).filter(({ turn }) => textOf(turn) !== '');
}

interface Stopped extends Turn {
  /** Stop, and what came after it. */
  readonly rest: readonly SocketMessage[];
  readonly stoppedAt: number;
}

/** The first long answer that shows what stop does. */
function stopped(seen: Sockets): Stopped | undefined {
  return longTurns(seen)
    .map(({ reply, turn }) => {
      const index = turn.findIndex((message) => isSent(message, 'stop'));
      return { reply, turn, rest: index < 0 ? [] : turn.slice(index), stoppedAt: turn[index]?.frame.at ?? 0 };
    })
    .find((one) => one.rest.length > 0 && isDecided(one) && !endedItself(one));
}

/**
 * No content came after the grace, or so much that it was sent then. A little tells nothing: a suite that had no time
 * finds at once what had arrived before, and the answer may just have been over.
 */
function isDecided({ rest, stoppedAt }: Stopped): boolean {
  const late = rest.filter((message) => isLate(message, stoppedAt));
  const [first, last] = [late[0], late.at(-1)];
  return first === undefined || last === undefined || last.frame.at - first.frame.at > 250;
}

/** The answer was over before stop, or may have come to its own end soon after. */
function endedItself({ turn, rest, stoppedAt }: Stopped): boolean {
  if (turn.slice(0, turn.length - rest.length).some(isDone)) return true;
  const content = rest.filter((message) => contentOf(message) !== '');
  if (content.some((message) => isLate(message, stoppedAt))) return false;
  const pieces = turn.filter((message) => contentOf(message) !== '').length;
  if (pieces >= Number(member(turn[0]?.json, 'max_tokens'))) return true;
  const done = rest.find(isDone);
  const goesOn = (content.at(-1)?.frame.at ?? 0) > stoppedAt + graceMs / 2;
  return done !== undefined && (goesOn || member(done.json, 'finish_reason') === 'length');
}

function stoppedTurn(seen: Sockets): Stopped {
  turnOf(seen, 1);
  need(longTurns(seen).length > 0, 'the long answer did not begin');
  const found = stopped(seen);
  need(
    found !== undefined,
    'the answer ended before it could be seen whether stop ends it; a higher --max-tokens allows a longer one',
  );
  return found;
}

const isLate = (message: SocketMessage, from: number) => contentOf(message) !== '' && message.frame.at > from + graceMs;
const since = (from: number, { frame }: SocketMessage) => `after ${((frame.at - from) / 1000).toFixed(1)} s`;

export const websocketProbes = [chat];
