/**
 * Runs inside of the interpreter, before a program, as text: it names nothing from outside of itself, and keeps what it
 * takes of the globals, which the program may change.
 * @param print a function of the host
 */
export function prelude(print: (text: string) => void) {
  const { stringify } = JSON;
  const { isArray } = Array;
  const [text, ErrorType] = [String, Error];
  const then: (promise: Promise<unknown>, next: (value: { value: unknown }) => unknown) => void =
    Function.prototype.call.bind(Promise.prototype.then as never);

  /** What a thrown value says of itself. */
  function words(thrown: unknown): string {
    try {
      const { name = 'Error', message } = Object(thrown);
      return typeof message === 'string' && message !== '' ? `${name}: ${message}` : show(thrown);
    } catch {
      return '{}';
    }
  }

  function show(value: unknown): string {
    if (typeof value !== 'object' || value === null) return text(value);
    if (value instanceof ErrorType && value.message !== '') return words(value);
    try {
      return stringify(value) ?? '{}';
    } catch {
      return isArray(value) ? '[]' : '{}';
    }
  }

  function log(...values: unknown[]): void {
    let line = '';
    for (let index = 0; index < values.length; index += 1) line += `${index > 0 ? ' ' : ''}${show(values[index])}`;
    print(line);
  }

  (globalThis as { console: unknown }).console = { log, info: log, warn: log, error: log, debug: log };
  return {
    words,
    /** Prints the last value of a program, or what it becomes where it is a promise. */
    printLast(program: Promise<unknown>): void {
      then(program, async ({ value }) => {
        const last = await value;
        if (last !== undefined) log(last);
      });
    },
  };
}
