import { expectArrived, expectStatus, expectThat, Inconclusive, need, violate } from '../expect.ts';
import { defineProbe, type Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { contentOf, isFromTarget, isStart, refusedForNow, type SocketMessage } from '../socket.ts';
import { generated, type KeyPlace, startText, tryPlaces } from './socket-place.ts';

/** Milliseconds in which what was under way may still arrive. */
const graceMs = 2_000;
const longTokens = 400;
const noSuchModel = 'stack29-conformance/no-such-model';

const ping = { send: '{"type":"ping"}' } as const;
const stop = { send: '{"type":"stop"}' } as const;
const awaitPong = { await: ['pong'] } as const;
/** What the answer to a ping proves: that nothing which came before it is still on its way. */
const proof = [ping, awaitPong] as const;

const conversation = (target: Target) => (place: KeyPlace) => [
  { send: startText(target, place) },
  { await: ['done'], sinceStart: true, endAt: ['error'] } as const,
  ...proof,
  { send: startText(target, place, { max_tokens: longTokens }) },
  { await: ['content', 'done'], sinceStart: true, endAt: ['error'] } as const,
  ping,
  { await: ['pong', 'done'], withinMs: graceMs + 500 },
  stop,
  { await: ['done'], sinceStart: true } as const,
  ...proof,
  { send: startText(target, place, { model: noSuchModel }) },
  { await: ['error', 'done'], sinceStart: true } as const,
  ...proof,
];

interface Sockets {
  /** One socket a place that was tried. */
  readonly attempts: readonly Reply[];
  /** The socket without a key; absent where none with the key generated. */
  readonly keyless?: Reply;
}

const chat = defineProbe<Sockets>({
  name: 'a conversation over a socket',
  cost: { requests: 8, tokens: 2_000 },
  exclusive: true,
  async act(target) {
    const attempts = await tryPlaces(target, conversation(target));
    const last = attempts.at(-1);
    if (!last || !generated(last)) return { attempts };
    // A target that took the key elsewhere has refused a socket which had none in that place.
    const keyless =
      attempts.at(-2) ??
      (await target.send('GET', '/ws/chat', undefined, {
        credential: 'none',
        dialog: [{ send: startText(target, 'header') }, { await: ['content', 'done', 'error'] }],
      }));
    return { attempts, keyless };
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
      const refused = attempts.every((one) => [401, 403].includes(one.status) || codeOf(firstError(one)) === 'key');
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
      need(codeOf(error) !== 'key', 'the target does not accept the key of a socket');
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
    'websocket.start.done': ({ attempts }) => {
      const reply = generatedOf(attempts);
      const [first = []] = turnsOf(reply);
      if (first.some((message) => isFromTarget(message, 'done'))) return;
      need(textOf(first) !== '', 'the start was not answered with content');
      const close = first.find(({ fromTarget, frame }) => fromTarget && frame.opcode === 'close');
      if (close) violate(reply, 'after the content', 'done', `a close with ${close.frame.code ?? 'no status'}`);
      needProof(first, 'the generation');
      return violate(reply, 'after the content', 'done', 'nothing, though a later ping was answered');
    },
    'websocket.ping.pong': ({ attempts }) => {
      const reply = generatedOf(attempts);
      const { messages } = reply;
      const asked = messages.findIndex((message) => isMessage(message, 'ping'));
      need(asked >= 0, 'the socket ended before a ping was sent');
      const after = messages.slice(asked);
      if (after.some((message) => isFromTarget(message, 'pong'))) return;
      need(
        after.some(({ fromTarget, type }) => fromTarget && type !== undefined),
        'nothing at all came after the ping',
      );
      return violate(reply, 'after a ping', 'pong', 'none, though what was sent later was answered');
    },
    'websocket.ping.while-generating': ({ attempts }) => {
      const { reply, turn } = longTurn(attempts);
      const asked = turn.findIndex((message) => isMessage(message, 'ping'));
      const sentAt = turn[asked]?.frame.at ?? 0;
      const before = turn.slice(0, asked);
      need(asked >= 0 && !before.some(isDone), 'the generation ended before the ping was sent');
      const rest = turn.slice(asked);
      const pong = rest.find((message) => isFromTarget(message, 'pong'));
      const done = rest.find(isDone);
      if (pong && (!done || rest.indexOf(pong) < rest.indexOf(done))) return;
      const late = rest.find((message) => contentOf(message) !== '' && message.frame.at > sentAt + graceMs);
      need(late !== undefined, `the generation did not go on for ${graceMs / 1000} s after the ping`);
      return violate(
        reply,
        'pong while generating',
        `within ${graceMs / 1000} s`,
        `content ${since(sentAt, late)}, no pong`,
      );
    },
    'websocket.stop.content': ({ attempts }) => {
      const { reply, rest, stoppedAt } = stoppedTurn(attempts);
      const late = rest.filter((message) => contentOf(message) !== '' && message.frame.at > stoppedAt + graceMs).at(-1);
      if (late) violate(reply, 'content after stop', `none after ${graceMs / 1000} s`, since(stoppedAt, late));
      needProof(rest, 'the stop');
    },
    'websocket.stop.done': ({ attempts }) => {
      const { reply, rest } = stoppedTurn(attempts);
      if (rest.some(isDone)) return;
      needProof(rest, 'the stop');
      return violate(reply, 'after stop', 'done', 'nothing, though a later ping was answered');
    },
    'websocket.start.unknown-model': ({ attempts }) => {
      const reply = generatedOf(attempts);
      return expectErrorTo(reply, turnsOf(reply)[2] ?? []);
    },
  },
});

function lastOf(attempts: readonly Reply[]): Reply {
  const reply = attempts.at(-1);
  need(reply !== undefined, 'no socket was asked for');
  return reply;
}

/** The socket that generated. */
function generatedOf(attempts: readonly Reply[]): Reply {
  const reply = lastOf(attempts);
  need(generated(reply), 'no socket with the valid key generated anything');
  return reply;
}

/** The last socket that was opened. */
function openOf(attempts: readonly Reply[]): Reply {
  const reply = attempts.findLast(({ status }) => status === 101);
  need(reply !== undefined, 'no socket was opened');
  return reply;
}

/** What went over a socket, cut before each start; what came before the first start is left out. */
export function turnsOf({ messages }: Reply): readonly (readonly SocketMessage[])[] {
  const begins = messages.flatMap((message, index) => (isStart(message) ? [index] : []));
  return begins.map((begin, turn) => messages.slice(begin, begins[turn + 1]));
}

function longTurn(attempts: readonly Reply[]): { readonly reply: Reply; readonly turn: readonly SocketMessage[] } {
  const reply = generatedOf(attempts);
  const turn = turnsOf(reply)[1] ?? [];
  need(textOf(turn) !== '', 'the long answer did not begin');
  return { reply, turn };
}

function stoppedTurn(attempts: readonly Reply[]) {
  const { reply, turn } = longTurn(attempts);
  const index = turn.findIndex((message) => isMessage(message, 'stop'));
  const running = index >= 0 && !turn.slice(0, index).some(isDone);
  need(running, `the answer of up to ${longTokens} tokens ended before stop was sent`);
  return { reply, rest: turn.slice(index + 1), stoppedAt: turn[index]?.frame.at ?? 0 };
}

const isDone = (message: SocketMessage) => isFromTarget(message, 'done');
const isMessage = (message: SocketMessage, type: string) => !message.fromTarget && message.type === type;
const textOf = (messages: readonly SocketMessage[]) => messages.map(contentOf).join('');
const firstError = ({ messages }: Reply) => messages.find((message) => isFromTarget(message, 'error'));
const since = (from: number, { frame }: SocketMessage) => `after ${((frame.at - from) / 1000).toFixed(1)} s`;

/** What is missing is only known to be missing where the socket answered what was sent later. */
export function needProof(messages: readonly SocketMessage[], what: string): undefined {
  const asked = messages.findLastIndex((message) => isMessage(message, 'ping'));
  const answered = asked >= 0 && messages.slice(asked).some((message) => isFromTarget(message, 'pong'));
  need(answered, `the socket answered nothing after ${what}; --timeout gives it more time`);
}

function codeOf(error: SocketMessage | undefined): 'key' | undefined {
  const text = error?.text ?? '';
  return /invalid_api_key|"401"|:\s*401\b|unauthori|account_disabled/i.test(text) ? 'key' : undefined;
}

/** The socket was refused: with a status, an error message or a close, and nothing was generated. */
export function expectRefusedKey(reply: Reply): undefined {
  if (reply.status !== 101) return expectStatus(reply, 401);
  const content = reply.messages.find((message) => contentOf(message) !== '' || isDone(message));
  expectThat(reply, 'answer to a start', content === undefined, '401, an error message or a close', content?.json);
  const refused = reply.messages.some(
    ({ fromTarget, type, frame }) => fromTarget && (type === 'error' || frame.opcode === 'close'),
  );
  if (!refused) throw new Inconclusive('the socket neither answered nor closed; --timeout gives it more time');
}

/** The messages that follow a bad start, or another bad message, hold an error and nothing of a generation. */
export function expectErrorTo(reply: Reply, turn: readonly SocketMessage[]): undefined {
  need(turn.length > 0, 'the socket ended before this was sent');
  const error = turn.find((message) => isFromTarget(message, 'error'));
  const content = turn.find((message) => contentOf(message) !== '' || isDone(message));
  need(!refusedForNow(turn), 'a limit of the key refused the start');
  expectThat(reply, 'answer', content === undefined, 'an error message', content?.json);
  if (error) return;
  needProof(turn, 'this');
  return violate(reply, 'answer', 'an error message', 'nothing, though a later ping was answered');
}

export const websocketProbes = [chat];
