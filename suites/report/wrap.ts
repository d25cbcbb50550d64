/** Breaks text into lines of at most `columns` characters, between words where that is possible. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > columns) {
    const space = rest.lastIndexOf(' ', columns);
    const end = space > columns / 2 ? space : wholeCharacters(rest, columns);
    lines.push(rest.slice(0, end));
    rest = rest.slice(space === end ? end + 1 : end);
  }
  return [...lines, rest];
}

/** A break inside a surrogate pair would show as two broken characters. */
function wholeCharacters(text: string, end: number): number {
  const code = text.charCodeAt(end - 1);
  return code >= 0xd800 && code <= 0xdbff ? end - 1 : end;
}
