import type { RequirementId } from '../../specs/requirements/index.ts';
import { need, violate } from '../expect.ts';
import { defineProbe, type Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { contentOf, isFromTarget, type SocketMessage } from '../socket.ts';
import { findPlace, type KeyPlace, placeCost, startText, talk } from './socket-place.ts';
import { expectErrorTo, expectRefusedKey, needProof, turnsOf } from './websocket.ts';

const ping = { send: '{"type":"ping"}' } as const;
const proof = [ping, { await: ['pong'] }] as const;

const unknownKey = defineProbe({
  name: 'a socket with an unknown key',
  cost: { requests: placeCost.requests + 2, tokens: placeCost.tokens + 300 },
  exclusive: true,
  async act(target) {
    const place = await findPlace(target);
    const dialog = [{ send: startText(target, place) }, { await: ['content', 'done', 'error'] }];
    return talk(target, place, dialog, 'unknown');
  },
  judge: { 'websocket.key.unknown': expectRefusedKey },
});

const severalStarts = defineProbe({
  name: 'a socket with one start after another, and two at once',
  cost: { requests: placeCost.requests + 4, tokens: placeCost.tokens + 900 },
  exclusive: true,
  async act(target) {
    const place = await findPlace(target);
    const send = startText(target, place);
    const end = { await: ['done', 'error'] };
    return talk(target, place, [{ send }, end, { send }, { send }, end, end, ...proof]);
  },
  judge: {
    'websocket.start.again': (reply) => {
      const [first = [], ...later] = turnsOf(reply);
      need(first.some(isDone), 'the first generation did not come to its end');
      need(later.length > 0, 'the socket ended before a second start was sent');
      const again = later.flat();
      if (again.some((message) => isDone(message) || contentOf(message) !== '')) return;
      const error = again.find((message) => isFromTarget(message, 'error'));
      if (error === undefined) needProof(again, 'the second start');
      return violate(reply, 'answer to a start after done', 'content', error?.text ?? 'nothing');
    },
    'websocket.start.while-running': (reply) => {
      const [first = [], , third] = turnsOf(reply);
      need(first.some(isDone) && third !== undefined, 'the socket ended before two starts were sent at once');
      const ends = third.filter((message) => isDone(message) || isFromTarget(message, 'error'));
      if (ends.length > 1 || ends.some((message) => !isDone(message)) || third.some(isClose)) return;
      needProof(third, 'two starts at once');
      return violate(reply, 'ends of two starts', 'two, or an error', `${ends.length}`);
    },
  },
});

type Sent = { readonly send: string } | { readonly sendBinary: string };

interface BadMessage {
  readonly id: RequirementId;
  readonly of: (target: Target, place: KeyPlace) => Sent;
  /** A message that is accepted as an answer beside an error and a close. */
  readonly or?: string;
}

const badMessages: readonly BadMessage[] = [
  {
    id: 'websocket.start.model-required',
    of: (target, place) => ({ send: startText(target, place, { model: undefined }) }),
  },
  { id: 'websocket.message.unknown-type', of: () => ({ send: '{"type":"stack29-unknown"}' }) },
  { id: 'websocket.message.malformed', of: () => ({ send: '{"type":' }) },
  { id: 'websocket.message.binary', of: () => ({ sendBinary: '{"type":"ping"}' }), or: 'pong' },
];

/** A bad message, and what followed it on its socket. */
interface Answered {
  readonly reply: Reply;
  readonly turn: readonly SocketMessage[];
}

const bad = defineProbe<readonly Answered[]>({
  name: 'messages that a socket cannot take',
  cost: { requests: placeCost.requests + 5, tokens: placeCost.tokens + 300 },
  exclusive: true,
  async act(target) {
    const place = await findPlace(target);
    const answered: Answered[] = [];
    // A target may close the socket after any of them: the rest goes over another.
    while (answered.length < badMessages.length) {
      const rest = badMessages.slice(answered.length).map(({ of, or }) => ({ step: of(target, place), or }));
      const dialog = rest.flatMap(({ step, or }) => [step, { await: ['error', or ?? 'error'] }, ...proof]);
      const reply = await talk(target, place, dialog);
      const turns = turnsAfter(
        reply,
        rest.map(({ step }) => step),
      );
      answered.push(...turns.map((turn) => ({ reply, turn })));
      if (turns.length === 0) break;
    }
    return answered;
  },
  judge: Object.fromEntries(
    badMessages.map(({ id, or }, index) => [
      id,
      (answered: readonly Answered[]) => {
        const { reply, turn } = answered[index] ?? {};
        need(reply !== undefined && turn !== undefined, 'the socket ended before this was sent');
        const fits = turn.some(
          (message, at) => isClose(message) || (at < pingAt(turn) && isFromTarget(message, or ?? '')),
        );
        return id !== 'websocket.start.model-required' && fits ? undefined : expectErrorTo(reply, turn);
      },
    ]),
  ),
});

const isDone = (message: SocketMessage) => isFromTarget(message, 'done');
const isClose = ({ fromTarget, frame }: SocketMessage) => fromTarget && frame.opcode === 'close';
const pingAt = (turn: readonly SocketMessage[]) =>
  turn.findIndex(({ fromTarget, type, frame }) => !fromTarget && frame.opcode === 'text' && type === 'ping');

/** What went over a socket, cut before each of these messages of the suite. */
function turnsAfter({ messages }: Reply, sent: readonly Sent[]): readonly (readonly SocketMessage[])[] {
  const begins: number[] = [];
  for (const step of sent) {
    const [opcode, text] = 'send' in step ? ['text', step.send] : ['binary', step.sendBinary];
    const from = (begins.at(-1) ?? -1) + 1;
    const begin = messages.findIndex(
      ({ fromTarget, frame }, index) => index >= from && !fromTarget && frame.opcode === opcode && frame.text === text,
    );
    if (begin < 0) break;
    begins.push(begin);
  }
  return begins.map((begin, turn) => messages.slice(begin, begins[turn + 1]));
}

export const moreWebsocketProbes = [unknownKey, severalStarts, bad];
