import { isDeepStrictEqual } from 'node:util';
import type { Delivery } from '../specs/evidence.ts';
import { problemsOf, type SchemaName } from '../specs/validate.ts';
import { show } from '../specs/words.ts';
import { isObject, member } from './member.ts';
import type { Reply } from './reply.ts';

/** What one look at an exchange found wrong. */
export interface Breach {
  readonly reply: Reply;
  /** The webhook that is wrong; the exchange is then the chat that it tells of. */
  readonly delivery?: Delivery;
  readonly subject: string;
  readonly expected: readonly string[];
  readonly actual: string;
}

/** The requirement is broken. */
export class Violation extends Error {
  readonly breaches: readonly Breach[];
  constructor(breaches: readonly Breach[]) {
    super(breaches.map(({ subject, actual }) => `${subject}: ${actual}`).join('; '));
    this.breaches = breaches;
  }
}

/** The requirement could not be observed. The message says why, and what to give. */
export class Inconclusive extends Error {}

/** The target declares that it lacks what the requirement is about. */
export class NotApplicable extends Error {}

export function violate(reply: Reply, subject: string, expected: string | readonly string[], actual: string): never {
  throw new Violation([{ reply, subject, expected: typeof expected === 'string' ? [expected] : expected, actual }]);
}

/** The response arrived whole, whatever it says. */
export function expectArrived(reply: Reply): undefined {
  if (reply.failure) throw new Inconclusive(`no whole response arrived: ${reply.failure.message}`);
  if (reply.status >= 300 && reply.status < 400) {
    throw new Inconclusive(`the target redirected to ${reply.header('location') ?? 'nowhere'}; give that URL instead`);
  }
}

/** A refusal by a limit, or of a service that is down, says nothing of the request. */
export function expectDecided(reply: Reply): undefined {
  expectArrived(reply);
  const { status } = reply;
  if (status !== 429 && status !== 503) return;
  const cause = status === 429 ? 'a limit of the key refused the request' : 'the service is down';
  throw new Inconclusive(`${cause} (${status}), also when it was sent again; try later, or with a lower --concurrency`);
}

export function expectStatus(reply: Reply, ...accepted: readonly number[]): undefined {
  expectArrived(reply);
  if (accepted.includes(reply.status)) return;
  expectDecided(reply);
  violate(reply, 'status', accepted.map(String), String(reply.status));
}

/** A look inside a body needs the body: anything but a JSON response with this status decides nothing here. */
export function jsonOf(reply: Reply, status = 200): unknown {
  expectArrived(reply);
  if (reply.status !== status) {
    throw new Inconclusive(`the answer that this is read from had status ${reply.status} instead of ${status}`);
  }
  if (reply.json === undefined) throw new Inconclusive('the answer that this is read from is not JSON');
  return reply.json;
}

export function expectEqual(reply: Reply, subject: string, actual: unknown, ...accepted: unknown[]): undefined {
  if (!accepted.some((value) => isDeepStrictEqual(value, actual)))
    violate(reply, subject, accepted.map(show), show(actual));
}

export function expectThat(
  reply: Reply,
  subject: string,
  holds: boolean,
  expected: string,
  actual: unknown,
): undefined {
  if (!holds) violate(reply, subject, expected, show(actual));
}

/**
 * The part of `value` at `pointer` (a JSON Pointer in which `*` stands for any index) is as the schema says. Problems
 * elsewhere in `value` are left to the requirements for those parts; without what holds the part nothing is decided.
 */
export function expectSchema(reply: Reply, schema: SchemaName, value: unknown, pointer: string): undefined {
  const holder = pointer.split('/').slice(1, -1);
  need(partsAt(value, holder).some(isObject), `there is no object at /${holder.join('/')} to hold ${pointer}`);
  const pattern = new RegExp(`^${pointer.replaceAll('*', '\\d+')}(/|$)`);
  const breaches = problemsOf(schema, value)
    .filter((problem) => pattern.test(problem.pointer))
    .map((problem) => ({ reply, subject: problem.pointer, expected: [problem.expected], actual: problem.actual }));
  if (breaches.length > 0) throw new Violation(breaches);
}

function partsAt(value: unknown, [step, ...rest]: readonly string[]): readonly unknown[] {
  if (step === undefined) return [value];
  if (step !== '*') return partsAt(member(value, step), rest);
  return Array.isArray(value) ? value.flatMap((item: unknown) => partsAt(item, rest)) : [];
}

/** A prerequisite: without it the observation decides nothing. */
export function need(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new Inconclusive(reason);
}

/** Runs a look over several subjects and reports every breach, not only the first. */
export function expectEach<Item>(items: readonly Item[], look: (item: Item) => undefined): undefined {
  const breaches: Breach[] = [];
  for (const item of items) {
    try {
      look(item);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      breaches.push(...error.breaches);
    }
  }
  if (breaches.length > 0) throw new Violation(breaches);
}
