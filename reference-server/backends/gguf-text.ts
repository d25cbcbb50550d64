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
