const incomplete = '\uFFFD';

/**
 * Turns tokens into text of whole characters: what ends inside a character waits for the next token.
 * `decode` gives the text of some tokens that follow others; a character that is cut or invalid reads U+FFFD in it.
 */
export function characterReader<Token>(decode: (tokens: readonly Token[], before: readonly Token[]) => string) {
  let before: readonly Token[] = [];
  let pending: Token[] = [];
  let given = 0;
  return {
    /** The characters that this token completes. */
    read(token: Token): string {
      pending.push(token);
      const text = decode(pending, before);
      const end = text.endsWith(incomplete) ? text.length - 1 : text.length;
      const characters = text.slice(given, end);
      given = end;
      if (end === text.length) {
        before = pending;
        pending = [];
        given = 0;
      }
      return characters;
    },
    /** What still waits at the end of the tokens. */
    rest: (): string => (pending.length === 0 ? '' : decode(pending, before).slice(given)),
  };
}

/** Passes text on up to the first stop sequence, and holds back what may be the beginning of one. */
export function stopFilter(stops: readonly string[]) {
  let held = '';
  return {
    /** The text that is safe to give, and whether a stop sequence ended it. */
    pass(text: string): { readonly text: string; readonly stopped: boolean } {
      held += text;
      const found = stops.map((stop) => held.indexOf(stop)).filter((place) => place >= 0);
      const end = found.length > 0 ? Math.min(...found) : held.length - longestBeginning(held, stops);
      const safe = held.slice(0, end);
      held = held.slice(end);
      return { text: safe, stopped: found.length > 0 };
    },
    /** What was held back and turned out to be no stop sequence. */
    rest: (): string => held,
  };
}

function longestBeginning(text: string, stops: readonly string[]): number {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(-length);
    if (stops.some((stop) => stop.startsWith(end))) return length;
  }
  return 0;
}
