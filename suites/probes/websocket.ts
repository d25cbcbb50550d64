import type { DialogStep } from '../../specs/evidence.ts';
import { expectArrived, expectStatus, expectThat, need, violate } from '../expect.ts';
import { defineProbe, type Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { contentOf, isFromTarget, refusedForNow, type SocketMessage } from '../socket.ts';
import { type KeyPlace, placeOf, startText, talk, tryPlaces } from './socket-place.ts';
import {
  expectErrorTo,
  expectRefusedKey,
  generated,
  isClose,
  isDone,
  isKeyRefused,
  isOfKey,
  isSent,
  needProof,
  textOf,
  turnsOf,
} from './socket-turns.ts';

/** Milliseconds in which what was under way may still arrive. */
const graceMs = 2_000;
const longTokens = 400;
const noSuchModel = 'stack29-conformance/no-such-model';

const ping = { send: '{"type":"ping"}' } as const;
const stop = { send: '{"type":"stop"}' } as const;
const awaitPong = { await: ['pong'] } as const;
/** What the answer to a ping proves: that nothing which came before it is still on its way. */
const proof = [ping, awaitPong] as const;

/** The parts of a conversation, each with one start. */
const parts = (target: Target, place: KeyPlace): readonly (readonly DialogStep[])[] => [
  [{ send: startText(target, place) }, { await: ['done'], sinceStart: true, endAt: ['error'] }, ...proof],
  [
    { send: startText(target, place, { max_tokens: longTokens }) },
    { await: ['content', 'done'], sinceStart: true, endAt: ['error'] },
    ping,
    { await: ['pong', 'done'], withinMs: graceMs + 500 },
    stop,
    { await: ['done'], sinceStart: true },
    ...proof,
  ],
  [
    { send: startText(target, place, { model: noSuchModel }) },
    { await: ['error', 'done'], sinceStart: true },
    ...proof,
  ],
];

interface Sockets {
  /** One socket a place that was tried. */
  readonly attempts: readonly Reply[];
  /** Further sockets, for what was left to say when the target closed one. */
  readonly further: readonly Reply[];
  /** The socket without a key; absent where none with the key generated. */
  readonly keyless?: Reply;
}

const chat = defineProbe<Sockets>({
  name: 'a conversation over a socket',
  cost: { requests: 8, tokens: 2_000 },
  exclusive: true,
  async act(target) {
    const attempts = await tryPlaces(target, (place) => parts(target, place).flat());
    const last = attempts.at(-1);
    if (!last || !generated(last)) return { attempts, further: [] };
    const further = await sayTheRest(target, last);
    // A target that took the key elsewhere may have refused a socket for having none in that place.
    const before = attempts.at(-2);
    const keyless =
      before && isKeyRefused(before)
        ? before
        : await target.send('GET', '/ws/chat', undefined, {
            credential: 'none',
            dialog: [{ send: startText(target, 'header') }, { await: ['content', 'done', 'error'] }],
          });
    return { attempts, further, keyless };
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
      const { reply, turn } = longTurn(seen);
      const asked = turn.findIndex((message) => isSent(message, 'ping'));
      const sentAt = turn[asked]?.frame.at ?? 0;
      need(asked >= 0 && !turn.slice(0, asked).some(isDone), 'the generation ended before the ping was sent');
      const rest = turn.slice(asked);
      const pong = rest.findIndex((message) => isFromTarget(message, 'pong'));
      const done = rest.findIndex(isDone);
      if (pong >= 0 && (done < 0 || pong < done)) return;
      const late = rest.find((message) => isLate(message, sentAt));
      need(late !== undefined, `the generation did not go on for ${graceMs / 1000} s after the ping`);
      return violate(reply, 'pong while generating', `within ${graceMs / 1000} s`, `content ${since(sentAt, late)}`);
    },
    'websocket.stop.content': (seen) => {
      const { reply, rest, stoppedAt } = stoppedTurn(seen);
      const late = rest.filter((message) => isLate(message, stoppedAt));
      const [first, last] = [late[0], late.at(-1)];
      // A suite that had no time to read finds at once what had arrived long before.
      if (first && last && last.frame.at - first.frame.at > 250) {
        violate(reply, 'content after stop', `none after ${graceMs / 1000} s`, `content ${since(stoppedAt, last)}`);
      }
      need(first === undefined, 'too little content came too late to tell whether it was sent or read too late');
      if (!rest.some((message) => isDone(message) || isClose(message))) needProof(reply, rest, 'the stop');
    },
    'websocket.stop.done': (seen) => {
      const { reply, rest } = stoppedTurn(seen);
      if (rest.some(isDone)) return;
      needProof(reply, rest, 'the stop');
      const late = generating(seen).flatMap(turnsOf)[2]?.some(isDone);
      need(!late, 'done came too late; --timeout gives it more time');
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
  let said = turnsOf(first).length;
  for (let last = first; said < all.length && last.messages.some(isClose); ) {
    last = await talk(target, place, all.slice(said).flat());
    further.push(last);
    const more = turnsOf(last).length;
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

/** The start of one part, and what followed it. */
function turnOf(seen: Sockets, part: number): Turn {
  const turns = generating(seen).flatMap((reply) => turnsOf(reply).map((turn) => ({ reply, turn })));
  const found = turns[part];
  need(found !== undefined, 'the socket ended before this was sent');
  return found;
}

function longTurn(seen: Sockets): Turn {
  const found = turnOf(seen, 1);
  need(textOf(found.turn) !== '', 'the long answer did not begin');
  return found;
}

function stoppedTurn(seen: Sockets) {
  const { reply, turn } = longTurn(seen);
  const index = turn.findIndex((message) => isSent(message, 'stop'));
  const running = index >= 0 && !turn.slice(0, index).some(isDone);
  need(running, `the answer of up to ${longTokens} tokens ended before stop was sent`);
  return { reply, rest: turn.slice(index + 1), stoppedAt: turn[index]?.frame.at ?? 0 };
}

const isLate = (message: SocketMessage, from: number) => contentOf(message) !== '' && message.frame.at > from + graceMs;
const since = (from: number, { frame }: SocketMessage) => `after ${((frame.at - from) / 1000).toFixed(1)} s`;

export const websocketProbes = [chat];
