import { ApiError } from '../api-error.ts';
import type { Behaviour, StreamPart } from '../behaviour.ts';
import { isObject, membersOf } from '../change.ts';
import { deciding } from './checks.ts';
import type { Faults } from './fault.ts';

/** Another failure than the one that is asked for. */
const insteadOf = (demand: string, failure: ApiError): Behaviour =>
  deciding('demand', (exchange) => exchange.demand === demand, failure);

const isError = (part: StreamPart) => isObject(membersOf(part).error);

/** What a stream ends with in the place of the event that tells its error, or after it. */
const endingWith = (end: (error: StreamPart, last: StreamPart) => readonly unknown[]): Behaviour => ({
  async *parts(parts) {
    let last: StreamPart = '';
    for await (const part of parts) {
      if (isError(part)) yield* end(part, last) as readonly StreamPart[];
      else yield part;
      last = part;
    }
  },
});

export const failureFaults = {
  'internal-error-as-502': {
    description: 'a fault of the server is answered with 502',
    trips: ['errors.internal-error.status'],
    behaviour: insteadOf('500', new ApiError('internal_error', 'the server failed', { status: 502 })),
  },
  'internal-error-misnamed': {
    description: 'a 500 carries the identifier of a service that is down',
    trips: ['errors.internal-error.identifier', 'errors.identifier'],
    behaviour: insteadOf('500', new ApiError('service_unavailable', 'the server failed', { status: 500 })),
  },
  'unavailable-as-500': {
    description: 'a service that is down answers 500',
    trips: ['errors.service-unavailable.status'],
    behaviour: insteadOf('503', new ApiError('internal_error', 'the service is down')),
  },
  'unavailable-misnamed': {
    description: 'a 503 carries the identifier of a fault of the server',
    trips: ['errors.service-unavailable.identifier', 'errors.identifier'],
    behaviour: insteadOf('503', new ApiError('internal_error', 'the service is down', { status: 503 })),
  },
  'tool-error-as-500': {
    description: 'a tool that fails is answered with 500',
    trips: ['errors.tool-error.status'],
    behaviour: insteadOf('422', new ApiError('internal_error', 'a tool failed')),
  },
  'tool-error-misnamed': {
    description: 'a 422 carries the identifier of a malformed request',
    trips: ['errors.tool-error.identifier', 'errors.identifier'],
    behaviour: insteadOf('422', new ApiError('invalid_request', 'a tool failed', { status: 422 })),
  },
  'failed-stream-silent': {
    description: 'a stream that fails just ends',
    trips: ['stream.failure.told'],
    behaviour: endingWith(() => []),
  },
  'failed-stream-done': {
    description: 'a stream that fails tells its error, and [DONE] after it',
    trips: ['stream.failure.not-done'],
    behaviour: endingWith((error) => [error, '[DONE]']),
  },
  'failed-stream-as-whole': {
    description: 'a stream that fails ends like a whole answer',
    trips: ['stream.failure.told', 'stream.failure.not-done'],
    behaviour: endingWith((_, last) => [
      { ...membersOf(last), choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      '[DONE]',
    ]),
  },
} as const satisfies Faults;
