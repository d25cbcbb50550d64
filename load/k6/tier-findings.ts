import type { TierCheck } from '../../specs/wire.ts';
import { verdictOf } from '../tier/verdict.ts';

export type CheckName = TierCheck['check'];

interface Finding {
  readonly effect: 'broken' | 'inconclusive';
  readonly words: string;
}

/** What a check can find out, by a tag of k6. What breaks a limit stands before what leaves it open. */
export const findings = {
  'admitted-more': { effect: 'broken', words: 'more requests were admitted than the limit allows' },
  'admitted-less': { effect: 'broken', words: 'requests within the limit were refused' },
  'admitted-before-reset': {
    effect: 'broken',
    words: 'a request was admitted before the window of the limit had ended',
  },
  'refused-after-reset': {
    effect: 'broken',
    words: 'a request was still refused after the reset that the headers name',
  },
  'refused-while-paced': { effect: 'broken', words: 'requests at the even pace of the limit were refused' },
  'slot-not-released': { effect: 'broken', words: 'a request was refused though another had ended and left its place' },
  'header-limit': { effect: 'broken', words: 'X-RateLimit-Limit is absent, or names another limit than the tier has' },
  'header-remaining': {
    effect: 'broken',
    words: 'X-RateLimit-Remaining does not count down as requests are admitted',
  },
  'header-sum': {
    effect: 'broken',
    words: 'X-RateLimit-Used and X-RateLimit-Remaining are absent, or do not add up to the limit',
  },
  'header-reset': { effect: 'broken', words: 'X-RateLimit-Reset is absent or not within a window of its answer' },
  'header-refused': {
    effect: 'broken',
    words: 'a refusal does not say in X-RateLimit-Remaining that no requests are left',
  },
  'refused-early': { effect: 'broken', words: 'a request was refused before the tokens of the day were used' },
  'no-limit-known': { effect: 'inconclusive', words: 'neither the profile nor a header names the limit' },
  'key-in-use': { effect: 'inconclusive', words: 'something else uses the key: give one that nothing else uses' },
  'too-slow': { effect: 'inconclusive', words: 'the answers took longer than the window of the limit' },
  'other-answers': { effect: 'inconclusive', words: 'some requests were neither admitted nor refused with 429' },
  'answers-too-short': {
    effect: 'inconclusive',
    words:
      'the long answers ended before the next request was answered: it waited for a place, or a slower model is needed',
  },
  'no-usage': { effect: 'inconclusive', words: 'the answers do not report their usage' },
  'key-not-fresh': {
    effect: 'inconclusive',
    words: 'refused before the tokens were used: if the key has used none today, say so by STACK29_FRESH_KEY=1',
  },
} as const satisfies Readonly<Record<string, Finding>>;

export type FindingName = keyof typeof findings;

export const findingNames = Object.keys(findings) as FindingName[];

/** The verdict of a check that came to these findings. @param isDone whether it ran to its end */
export function verdictOfFindings(
  found: readonly FindingName[],
  isDone: boolean,
): Pick<TierCheck, 'verdict' | 'reasons'> {
  const wordsOf = (effect: Finding['effect']) =>
    found.filter((name) => findings[name].effect === effect).map((name) => findings[name].words);
  const unfinished = isDone ? [] : ['the check did not run to its end'];
  return verdictOf(wordsOf('broken'), [...wordsOf('inconclusive'), ...unfinished]);
}
