import type { TierCheck } from '../../specs/wire.ts';

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
  'header-limit': { effect: 'broken', words: 'X-RateLimit-Limit names another limit than the tier has' },
  'header-remaining': {
    effect: 'broken',
    words: 'X-RateLimit-Remaining does not count down to 0 as requests are admitted',
  },
  'header-sum': { effect: 'broken', words: 'X-RateLimit-Used and X-RateLimit-Remaining do not add up to the limit' },
  'header-reset': { effect: 'broken', words: 'X-RateLimit-Reset lies further off than a window is long' },
  'header-refused': { effect: 'broken', words: 'a refusal says in X-RateLimit-Remaining that requests are left' },
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
export function verdictOf(found: readonly FindingName[], isDone: boolean): Pick<TierCheck, 'verdict' | 'reasons'> {
  const effects: readonly string[] = found.map((name) => findings[name].effect);
  const reasons = found.map((name) => findings[name].words);
  if (effects.includes('broken')) return { verdict: 'broken', reasons };
  if (!isDone) return { verdict: 'inconclusive', reasons: [...reasons, 'the check did not run to its end'] };
  return { verdict: effects.length > 0 ? 'inconclusive' : 'holds', reasons };
}
