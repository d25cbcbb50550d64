import { expectStatus, expectThat, Inconclusive, need, violate } from '../expect.ts';
import type { Reply } from '../reply.ts';
import { contentOf, isFromTarget, isStart, refusedForNow, type SocketMessage } from '../socket.ts';

export const isDone = (message: SocketMessage) => isFromTarget(message, 'done');
export const isClose = ({ fromTarget, frame }: SocketMessage) => fromTarget && frame.opcode === 'close';
export const isSent = (message: SocketMessage, type: string) => !message.fromTarget && message.type === type;
export const textOf = (messages: readonly SocketMessage[]) => messages.map(contentOf).join('');
const firstError = ({ messages }: Reply) => messages.find((message) => isFromTarget(message, 'error'));

/** What went over a socket, cut before each start; what came before the first start is left out. */
export function turnsOf({ messages }: Reply): readonly (readonly SocketMessage[])[] {
  const begins = messages.flatMap((message, index) => (isStart(message) ? [index] : []));
  return begins.map((begin, turn) => messages.slice(begin, begins[turn + 1]));
}

/** What shows a generation in one turn: content, or a done; after an error, done may say that the turn is over. */
function generationIn(turn: readonly SocketMessage[]): SocketMessage | undefined {
  const error = turn.findIndex((message) => isFromTarget(message, 'error'));
  return turn.find((message, index) => contentOf(message) !== '' || (isDone(message) && (error < 0 || index < error)));
}

/** How many generations were begun on the socket. */
export function generatedTurns(reply: Reply): number {
  return turnsOf(reply).filter((turn) => generationIn(turn) !== undefined).length;
}

/** A generation was begun on the socket. */
export function generated(reply: Reply): boolean {
  return generatedTurns(reply) > 0;
}

/** The connection ended without the close of a WebSocket. @param last what came last, where it is to be that end */
export function isDropped({ exchange, messages }: Reply, last = messages): boolean {
  return exchange.socket?.failure?.kind === 'closed' && last.at(-1) === messages.at(-1);
}

/** Why nothing more was seen after these messages. */
export function whyOver(reply: Reply, last: readonly SocketMessage[], otherwise: string): string {
  return isDropped(reply, last) ? 'the target dropped the connection without a close' : otherwise;
}

/** What is missing is only known to be missing where the socket answered what was sent later. */
export function needProof(reply: Reply, messages: readonly SocketMessage[], what: string): undefined {
  const asked = messages.findLastIndex((message) => isSent(message, 'ping'));
  const answered = asked >= 0 && messages.slice(asked).some((message) => isFromTarget(message, 'pong'));
  need(answered, whyOver(reply, messages, `the socket answered nothing after ${what}; --timeout gives it more time`));
}

/** An error that is about the key. */
export function isOfKey(error: SocketMessage | undefined): boolean {
  return /invalid_api_key|"401"|:\s*401\b|unauthori|account_disabled/i.test(error?.text ?? '');
}

/** The target refused the socket for its key, by the status or by what its error says. */
export function isKeyRefused(reply: Reply): boolean {
  return [401, 403].includes(reply.status) || isOfKey(firstError(reply));
}

/** The socket was refused: with a status, an error message or a close, and nothing was generated. */
export function expectRefusedKey(reply: Reply): undefined {
  if (reply.status !== 101) return expectStatus(reply, 401);
  const content = generationIn(reply.messages);
  expectThat(reply, 'answer to a start', content === undefined, '401, an error message or a close', content?.json);
  need(!refusedForNow(reply.messages), 'a limit refused the start before its key was judged, also when sent again');
  if (reply.messages.some((message) => isFromTarget(message, 'error') || isClose(message))) return;
  throw new Inconclusive(
    whyOver(reply, reply.messages, 'the socket neither answered nor closed; --timeout gives it more time'),
  );
}

/** The messages that follow a bad start, or another bad message, hold an error and nothing of a generation. */
export function expectErrorTo(reply: Reply, turn: readonly SocketMessage[]): undefined {
  need(turn.length > 0, 'the socket ended before this was sent');
  const content = generationIn(turn);
  need(!refusedForNow(turn), 'a limit of the key refused the start');
  expectThat(reply, 'answer', content === undefined, 'an error message', content?.json);
  if (turn.some((message) => isFromTarget(message, 'error'))) return;
  const close = turn.find(isClose);
  if (close) violate(reply, 'answer', 'an error message', `a close with ${close.frame.code ?? 'no status'} alone`);
  needProof(reply, turn, 'this');
  return violate(reply, 'answer', 'an error message', 'nothing, though a later ping was answered');
}
