import type { RequirementId } from '../../specs/requirements/index.ts';
import { expectThat, need, violate } from '../expect.ts';
import { member } from '../member.ts';
import { defineProbe, type Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { contentOf, isFromTarget, refusedForNow, type SocketMessage } from '../socket.ts';
import { someTokens } from './answer.ts';
import { failingCode, forceCode, soundCode } from './programs.ts';
import { proof } from './socket-parts.ts';
import { findPlace, type KeyPlace, placeCost, startText, talk } from './socket-place.ts';
import {
  expectErrorTo,
  expectRefusedKey,
  isClose,
  isDone,
  needProof,
  textOf,
  turnsOf,
  whyOver,
} from './socket-turns.ts';

const unknownKey = defineProbe({
  name: 'a socket with an unknown key',
  cost: { requests: placeCost.requests + 2, tokens: placeCost.tokens + 300 },
  exclusive: true,
  async act(target) {
    const place = await findPlace(target);
    const dialog = [{ send: startText(target, place) }, { await: ['content', 'done', 'error'] }];
    return talk(target, place, dialog, { credential: 'unknown' });
  },
  judge: { 'websocket.key.unknown': expectRefusedKey },
});

interface SeveralStarts {
  /** A socket with two starts at once, and another start after them. */
  readonly both: Reply;
  /** The turns of a start after done, the one before it first. */
  readonly again: readonly [reply: Reply, before: number];
}

const severalStarts = defineProbe<SeveralStarts>({
  name: 'a socket with two starts at once, and another after them',
  cost: { requests: placeCost.requests + 7, tokens: placeCost.tokens + 1_600 },
  exclusive: true,
  async act(target) {
    const place = await findPlace(target);
    const send = startText(target, place);
    const end = { await: ['done', 'error'] };
    const again = [{ send }, end, ...proof];
    const second = startText(target, place, { max_tokens: 4 * someTokens });
    const both = await talk(target, place, [{ send }, { send: second }, end, end, ...proof, ...again]);
    // A target that closes the socket for the second start has brought nothing to its end.
    if (both.messages.some(isDone)) return { both, again: [both, 1] };
    return { both, again: [await talk(target, place, [{ send }, end, ...proof, ...again]), 0] };
  },
  judge: {
    'websocket.start.while-running': ({ both: reply }) => {
      const [before = [], both, again = []] = turnsOf(reply);
      need(both !== undefined, whyOver(reply, before, 'the socket ended before two starts were sent at once'));
      const ends = both.filter((message) => isDone(message) || isFromTarget(message, 'error'));
      if (ends.length > 1 || ends.some((message) => !isDone(message)) || both.some(isClose)) return;
      needProof(reply, both, 'two starts at once');
      if (ends.length === 1) {
        // The answer to the second start is four times as long: where it came, it took the place of the first.
        const [length, single] = [textOf([...before, ...both]).length, textOf(again).length];
        need(single > 0, 'one of two starts was answered, and nothing shows which');
        if (length > 2 * single) return;
      }
      return violate(reply, 'ends of two starts', 'two, or an error', `${ends.length}`);
    },
    'websocket.start.again': ({ again: [reply, index] }) => {
      const { [index]: before = [], [index + 1]: again } = turnsOf(reply);
      need(before.some(isDone), 'no generation came to its end before');
      if (again === undefined) {
        need(before.some(isClose), whyOver(reply, before, 'the socket ended before another start was sent'));
        return violate(reply, 'socket after done', 'open', 'closed');
      }
      need(!refusedForNow(again), 'a limit of the key refused the start');
      if (again.some((message) => isDone(message) || contentOf(message) !== '')) return;
      const answer = again.find((message) => isClose(message) || isFromTarget(message, 'error'));
      if (answer === undefined) needProof(reply, again, 'the start after done');
      return violate(reply, 'answer to a start after done', 'content', answer?.text || 'none');
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

/** A socket for a sound program, and one for a program that fails. */
interface Programs {
  readonly sound: Reply;
  readonly failing: Reply;
}

const programs = defineProbe<Programs>({
  name: 'programs over sockets of a target that runs execute_code itself',
  cost: { requests: placeCost.requests + 4, tokens: placeCost.tokens + 2_400 },
  exclusive: true,
  async act(target) {
    const language = target.options.runsTools;
    need(language !== undefined, 'needs a target that runs execute_code itself: say so with --runs-tools javascript');
    const place = await findPlace(target);
    const run = (code: string) => {
      const send = startText(target, place, forceCode(code, language));
      return talk(target, place, [{ send }, { await: ['done', 'error'] }, ...proof]);
    };
    return { sound: await run(soundCode), failing: await run(failingCode) };
  },
  judge: {
    'websocket.tools.told': ({ sound }) => {
      const [called, told] = ['tool_call', 'tool_result'].map((type) =>
        sound.messages.findIndex((message) => isFromTarget(message, type)),
      );
      needRun(sound);
      const isTold = called !== undefined && told !== undefined && called >= 0 && called < told;
      return expectThat(sound, 'a call that was run', isTold, 'tool_call, tool_result', typesOf(sound));
    },
    'websocket.tools.failure': ({ sound, failing }) => {
      needRun(sound);
      const isTold = failing.messages.some(
        (message) =>
          isFromTarget(message, 'error') ||
          (isFromTarget(message, 'tool_result') && (resultOf(message, 'error') ?? null) !== null),
      );
      if (!isTold) needProof(failing, failing.messages, 'the program that fails');
      const expected = 'a tool_result with an error, or an error';
      return expectThat(failing, 'a call that failed', isTold, expected, typesOf(failing));
    },
  },
});

/** The sound program was run, and its call not left to the client: a target that says nothing of it may have run none. */
function needRun({ messages }: Reply): undefined {
  const done = messages.find(isDone);
  const isLeft = member(done?.json, 'finish_reason') === 'tool_calls';
  const isHeardOf = messages.some((message) =>
    ['tool_call', 'tool_result'].some((type) => isFromTarget(message, type)),
  );
  need(
    done !== undefined && !isLeft && isHeardOf,
    'no message over a socket shows that the target ran a sound program',
  );
}

const resultOf = ({ json }: SocketMessage, name: string) => member(json, 'tool_result', name) ?? member(json, name);

function typesOf({ messages }: Reply): string {
  return messages.flatMap(({ fromTarget, type = 'a message without type' }) => (fromTarget ? [type] : [])).join(', ');
}

export const moreWebsocketProbes = [unknownKey, severalStarts, bad, programs];
