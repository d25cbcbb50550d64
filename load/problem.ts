/** A load run cannot be done as asked. The message says what is wrong and what to do. */
export class LoadProblem extends Error {
  readonly kind: 'usage' | 'unreachable';

  constructor(kind: 'usage' | 'unreachable', message: string) {
    super(message);
    this.kind = kind;
  }
}
