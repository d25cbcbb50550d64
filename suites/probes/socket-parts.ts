import type { DialogStep } from '../../specs/evidence.ts';
import type { Target } from '../probe.ts';
import { type KeyPlace, startText } from './socket-place.ts';

/** Milliseconds in which what was under way may still arrive. */
export const graceMs = 2_000;
export const longTokens = 400;
const noSuchModel = 'stack29-conformance/no-such-model';

const ping = { send: '{"type":"ping"}' } as const;
const stop = { send: '{"type":"stop"}' } as const;
const awaitPong = { await: ['pong'] } as const;
/** What the answer to a ping proves: that nothing which came before it is still on its way. */
export const proof = [ping, awaitPong] as const;

/** A long answer that is told to stop. */
export const longPart = (target: Target, place: KeyPlace, max_tokens: number): readonly DialogStep[] => [
  { send: startText(target, place, { max_tokens }) },
  { await: ['content', 'done'], sinceStart: true, endAt: ['error'] },
  ping,
  { await: ['pong', 'done'], withinMs: graceMs + 500 },
  stop,
  { await: ['done'], sinceStart: true },
  ...proof,
];

/** The parts of a conversation, each with one start. */
export const parts = (target: Target, place: KeyPlace): readonly (readonly DialogStep[])[] => [
  [{ send: startText(target, place) }, { await: ['done'], sinceStart: true, endAt: ['error'] }, ...proof],
  longPart(target, place, longTokens),
  [
    { send: startText(target, place, { model: noSuchModel }) },
    { await: ['error', 'done'], sinceStart: true },
    ...proof,
  ],
];

/** Tokens of an answer that goes on for some seconds on a fast target, too; most only where the run's own bound allows it. */
export function longerTokens({ baseline, options }: Target): number {
  const window = baseline.models.find(({ id }) => id === baseline.model)?.contextWindow ?? Infinity;
  return Math.min(options.maxTokens === undefined ? 1_000 : 4_000, Math.floor(window / 2));
}
