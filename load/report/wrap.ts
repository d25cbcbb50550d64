import { stripVTControlCharacters } from 'node:util';

/** What is narrower would break the tables. */
const leastColumns = 80;

/**
 * Breaks lines at their spaces, so that a terminal cuts no word; what goes on stands under the text of its label, or a
 * little to the right. Colours take no room.
 */
export function wrap(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, Math.max(leastColumns, columns)))
    .join('\n');
}

function wrapLine(line: string, columns: number): string {
  const widthOf = (words: string) => stripVTControlCharacters(words).length;
  if (widthOf(line) <= columns) return line;
  const indent = ' '.repeat(/^ *\S+ {2,}/.exec(stripVTControlCharacters(line))?.[0].length ?? 2);
  const lines: string[] = [];
  let current = '';
  // The spaces before a word stay with it, as those between a label and its text are many.
  for (const word of line.match(/ *[^ ]+/g) ?? []) {
    if (current !== '' && widthOf(current) + widthOf(word) > columns) {
      lines.push(current);
      current = indent + word.trimStart();
    } else current += word;
  }
  return [...lines, current].join('\n');
}
