/** One request from its due time to its end. Times are epoch milliseconds; those of k6's own clock are whole. */
export interface Flight {
  /** When k6 began the iteration. */
  readonly due: number;
  /** When the request was handed to the connection. */
  sent: number;
  firstContent?: number;
  lastContent?: number;
  /** Pieces of content; 0 where they were not seen one by one and have no times. */
  pieces: number;
  /** Between the pieces, in milliseconds. */
  readonly gaps: number[];
  promptTokens?: number;
  outputTokens?: number;
}

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

export function openFlight(due: number): Flight {
  return { due, sent: Date.now(), pieces: 0, gaps: [] };
}

/** A piece of content arrived. */
export function addContent(flight: Flight, at: number): void {
  flight.pieces += 1;
  if (flight.lastContent === undefined) flight.firstContent = at;
  else flight.gaps.push(at - flight.lastContent);
  flight.lastContent = at;
}

export function addUsage(flight: Flight, usage: unknown): void {
  const { prompt_tokens: prompt, completion_tokens: output }: Record<string, unknown> = Object(usage);
  if (typeof prompt === 'number') flight.promptTokens = prompt;
  if (typeof output === 'number') flight.outputTokens = output;
}

/** How a response with a status other than 200 ends its request. */
export function endingOfStatus(status: number): Ending {
  if (status === 429) return 'limited';
  return { failed: failureKinds.find((kind) => kind === `status ${status}`) ?? 'another status' };
}

/** `undefined` for what is no JSON object. */
export function parseObject(text: unknown): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === 'object' && value !== null ? Object(value) : undefined;
  } catch {
    return undefined;
  }
}
