/** What breaks a limit. */
const broken = {
  'admitted-more': 'more requests were admitted than the limit allows',
  'admitted-less': 'requests within the limit were refused',
  'admitted-beside-sockets': 'more requests were admitted over REST than the limit leaves beside those over sockets',
  'admitted-over-socket': 'a chat over a socket was admitted beyond the limit',
  'admitted-before-reset': 'a request was admitted before the window of the limit had ended',
  'refused-after-reset': 'a request was still refused after the reset that the headers name',
  'refused-while-paced': 'requests at the even pace of the limit were refused',
  'slot-not-released': 'a request was refused though another had ended and left its place',
  'socket-slot-not-released':
    'a request was refused though the client of another had left its socket, and with it its place',
  'header-limit': 'X-RateLimit-Limit is absent, or names another limit than the tier has',
  'header-remaining': 'X-RateLimit-Remaining does not count down as requests are admitted',
  'header-sum': 'X-RateLimit-Used and X-RateLimit-Remaining are absent, or do not add up to the limit',
  'header-reset': 'X-RateLimit-Reset is absent or not within a window of its answer',
  'header-refused': 'a refusal does not say in X-RateLimit-Remaining that no requests are left',
  'refused-early': 'a request was refused before the tokens of the day were used',
  'admitted-beyond-tokens': 'a request was admitted with all the tokens of the day spent',
  'socket-admitted-beyond-tokens': 'a chat over a socket was admitted with all the tokens of the day spent',
};

/** What leaves it open. */
const open = {
  'no-limit-known': 'neither the profile nor a header names the limit',
  'key-in-use': 'something else uses the key: give one that nothing else uses',
  'too-slow': 'the answers took longer than the window of the limit',
  'too-few-requests': 'the limit of requests leaves too few to see whether places are kept and free again',
  'too-slow-for-pace': 'the answers were too slow for an even pace',
  'other-answers': 'some requests were neither admitted nor refused with 429',
  'answers-too-short':
    'the long answers ended before the next request was answered: it waited for a place, or a slower model is needed',
  overtaken: 'a request that came later had the place of one that was on its way for too long',
  'no-sockets': 'only REST was tried: no chat over a socket is answered',
  'limit-too-low': 'only REST was tried: the limit is too low for sockets',
  'socket-usage-unknown': 'a chat over a socket reports no usage, so that what was spent is not known to a token',
  'tokens-left': 'answers that ended early left fewer tokens than any chat costs',
  'no-second-key':
    'that the limit is not lower by less than a chat costs is seen with a second key alone: --second-key, or STACK29_SECOND_KEY',
  'no-usage': 'the answers do not report their usage',
  'key-not-fresh':
    'refused before the tokens were used: if the keys have used none today, say so by --fresh-key, or STACK29_FRESH_KEY=1',
};

/**
 * What a check of a tier can find out, whichever engine makes it, in words that hold for every case of it. What breaks a
 * limit stands before what leaves it open.
 */
export const findings = { ...broken, ...open };

export type FindingName = keyof typeof findings;

export const findingNames = Object.keys(findings) as FindingName[];

/** What was found, and how it was seen this time. */
export interface Fault<Name extends FindingName> {
  readonly name: Name;
  readonly words: string;
}

/** What was found, by what it makes of a check. */
export function partsOf(found: readonly Fault<FindingName>[]): {
  readonly broken: readonly string[];
  readonly open: readonly string[];
} {
  const wordsOf = (part: object) => found.filter(({ name }) => Object.hasOwn(part, name)).map(({ words }) => words);
  return { broken: wordsOf(broken), open: wordsOf(open) };
}
