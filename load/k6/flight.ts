import { Flight } from '../engine/flight.ts';

export type Ending = 'succeeded' | 'limited' | { readonly failed: FailureKind };

/** Every kind of failure that is told apart, as the results name them. */
export const failureKinds = [
  'timeout',
  'no connection',
  'connection lost',
  'handshake refused',
  'error message',
  'message is not JSON with a type',
  'stream ended early',
  'error in the stream',
  'event is not JSON',
  'body is not JSON',
  'body is no completion',
  'status 400',
  'status 401',
  'status 403',
  'status 404',
  'status 422',
  'status 500',
  'status 502',
  'status 503',
  'status 504',
  'another status',
] as const;

export type FailureKind = (typeof failureKinds)[number];

/** A request that begins now. @param gaps takes those between its pieces, in milliseconds */
export function openFlight(due: number, measured: boolean, gaps: number[] = []): Flight {
  return new Flight(due, Date.now(), measured, (ms) => gaps.push(ms));
}

/** How a response with a status other than 200 ends its request. */
export function endingOfStatus(status: number): Ending {
  if (status === 429) return 'limited';
  return { failed: failureKinds.find((kind) => kind === `status ${status}`) ?? 'another status' };
}
