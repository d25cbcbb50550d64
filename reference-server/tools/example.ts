import type { Shape } from './shape.ts';

/** The first value of a shape: with its optional members, and as short as its bounds allow. @param word what texts say */
export function example(shape: Shape, word: () => string): unknown {
  switch (shape.kind) {
    case 'values':
      return shape.values[0];
    case 'string': {
      const text = word();
      const padded = text.padEnd(shape.least, text === '' ? ' ' : text);
      return shape.most === undefined ? padded : padded.slice(0, shape.most);
    }
    case 'number':
      return 2.9;
    case 'integer':
      return Math.min(Math.max(29, shape.least), shape.most);
    case 'array': {
      const length = Math.max(shape.least, shape.most === 0 ? 0 : 1);
      return Array.from({ length }, () => example(shape.items, word));
    }
    case 'object':
      return Object.fromEntries(shape.members.map(({ name, shape: inner }) => [name, example(inner, word)]));
    case 'any-of': {
      const [first] = shape.shapes;
      return first === undefined ? null : example(first, word);
    }
  }
}
