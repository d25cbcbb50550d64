import type { Exchange } from './admission.ts';
import type { Answer, AnswerKind, Behaviour, StreamPart } from './behaviour.ts';

export type Members = Readonly<Record<string, unknown>>;

type AnswerChange = Required<Pick<Behaviour, 'answer'>>;

type When = (exchange: Exchange, answer: Answer) => boolean;

const always = () => true;

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of a JSON value; none where it is no object. */
export function membersOf(value: unknown): Members {
  return isObject(value) ? value : {};
}

/** The members of the chat request. */
export function asked({ body }: Exchange): Members {
  return membersOf(body);
}

/**
 * A copy of a JSON value with the part at a JSON Pointer replaced, or removed where `to` is `undefined`. A function
 * gets the old part. Where the place does not exist the copy is equal.
 */
export function changed(value: unknown, pointer: string, to: unknown): unknown {
  const [head, ...rest] = pointer.split('/').slice(1);
  if (head === undefined) return typeof to === 'function' ? to(value) : to;
  if (typeof value !== 'object' || value === null) return value;
  if (rest.length > 0 && !Object.hasOwn(value, head)) return value;
  const part = changed(Reflect.get(value, head), ['', ...rest].join('/'), to);
  if (Array.isArray(value)) return value.with(Number(head), part);
  const { [head]: _, ...others } = value as Members;
  return part === undefined ? others : { ...value, [head]: part };
}

/** Changes a part of every JSON body of a kind. */
export function inBody(kind: AnswerKind, pointer: string, to: unknown, when: When = always): AnswerChange {
  return {
    answer: (answer, exchange) =>
      answer.kind === kind && when(exchange, answer) ? { ...answer, body: changed(answer.body, pointer, to) } : answer,
  };
}

/** Changes headers; one that becomes `undefined` is not sent. */
export function inHeaders(
  change: (exchange: Exchange, answer: Answer) => Readonly<Record<string, string | undefined>>,
  when: When = always,
): AnswerChange {
  return {
    answer(answer, exchange) {
      if (!when(exchange, answer)) return answer;
      const headers = Object.entries({ ...answer.headers, ...change(exchange, answer) });
      return {
        ...answer,
        headers: Object.fromEntries(headers.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
      };
    },
  };
}

/** Changes to answers, one after the other. */
export function inTurn(...changes: readonly AnswerChange[]): AnswerChange {
  return {
    answer: (answer, exchange) => changes.reduce((current, change) => change.answer(current, exchange), answer),
  };
}

/** Where a chunk stands in its stream. */
export interface Place {
  readonly index: number;
  /** Whether it carries a finish_reason. */
  readonly finishes: boolean;
}

/** Changes a part of chunks. */
export function inChunk(
  pointer: string,
  to: unknown,
  where: (place: Place) => boolean = always,
  when: (exchange: Exchange) => boolean = always,
): Required<Pick<Behaviour, 'parts'>> {
  return {
    async *parts(parts, exchange) {
      let index = 0;
      for await (const part of parts) {
        const place = { index, finishes: finishes(part) };
        index += 1;
        const hit = typeof part !== 'string' && where(place) && when(exchange);
        yield hit ? (changed(part, pointer, to) as StreamPart) : part;
      }
    },
  };
}

/** Whether a part of a stream carries a finish_reason. */
export function finishes(part: StreamPart): boolean {
  return JSON.stringify(part).includes('"finish_reason":"');
}
