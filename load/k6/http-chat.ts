import http, { type Response } from 'k6/http';
import type { Wording } from '../engine/job.ts';
import { type Ask, membersOf } from '../engine/wording.ts';
import { addUsage, type Ending, endingOfStatus, type Flight, parseObject } from './flight.ts';
import { requestHeaders, targetUrl } from './settings.ts';
import { StreamReading } from './stream-reading.ts';

// A 429 is an answer that a limit is there to give, and no failed request.
http.setResponseCallback(http.expectedStatuses(200, 429));

/** Asks for one JSON body, and waits for it. */
export function askForBody(wording: Wording, ask: Ask, flight: Flight, timeoutSeconds: number): Ending {
  const response = post(JSON.stringify(membersOf(wording, ask)), flight, timeoutSeconds, 'json');
  if (response.status !== 200) return endingOf(response);
  const completion = parseObject(response.body);
  if (completion === undefined) return { failed: 'body is not JSON' };
  addUsage(flight, completion.usage);
  const [choice]: readonly unknown[] = Array.isArray(completion.choices) ? completion.choices : [];
  return Object(choice).message ? 'succeeded' : { failed: 'body is no completion' };
}

/**
 * Asks for an event stream. k6 gives it only once it is whole, so that its pieces are counted and have no times: what
 * is measured is E2E, to the end of the stream.
 */
export function askForWholeStream(wording: Wording, ask: Ask, flight: Flight, timeoutSeconds: number): Ending {
  const response = post(streamBody(wording, ask), flight, timeoutSeconds, 'sse');
  if (response.status !== 200) return endingOf(response);
  const reading = new StreamReading(flight);
  reading.whole(String(response.body));
  return reading.ending();
}

export function streamBody(wording: Wording, ask: Ask): string {
  return JSON.stringify({
    ...membersOf(wording, ask),
    stream: true,
    ...(wording.askUsage && { stream_options: { include_usage: true } }),
  });
}

function post(body: string, flight: Flight, timeoutSeconds: number, transport: string): Response {
  flight.sent = Date.now();
  return http.post(`${targetUrl()}/chat/completions`, body, {
    headers: requestHeaders(),
    timeout: `${timeoutSeconds}s`,
    // One name for all, or each address would be a series of its own.
    tags: { name: 'chat', transport },
  });
}

/** @see https://grafana.com/docs/k6/latest/javascript-api/error-codes/ for the codes of what got no status */
function endingOf({ status, error_code: code }: Pick<Response, 'status' | 'error_code'>): Ending {
  if (status !== 0) return endingOfStatus(status);
  if (code === 1050) return { failed: 'timeout' };
  const noConnection = (code >= 1100 && code < 1200) || (code >= 1210 && code < 1220) || (code >= 1300 && code < 1400);
  return { failed: noConnection ? 'no connection' : 'connection lost' };
}
