import http, { type Response } from 'k6/http';
import type { Flight } from '../engine/flight.ts';
import type { Wording } from '../engine/job.ts';
import { readCompletion, StreamEvents } from '../engine/reading.ts';
import { type Ask, membersOf } from '../engine/wording.ts';
import { type Ending, endingOfStatus } from './flight.ts';
import { requestHeaders, targetUrl } from './settings.ts';

// A 429 is an answer that a limit is there to give, and no failed request.
http.setResponseCallback(http.expectedStatuses(200, 429));

/** Asks for one JSON body, and waits for it. */
export function askForBody(wording: Wording, ask: Ask, flight: Flight, timeoutSeconds: number): Ending {
  const response = post(JSON.stringify(membersOf(wording, ask)), flight, timeoutSeconds, 'json');
  if (response.status !== 200) return endingOf(response);
  return readCompletion(String(response.body), flight);
}

/**
 * Asks for an event stream. k6 gives it only once it is whole, so that its pieces are counted and have no times: what
 * is measured is E2E, to the end of the stream.
 */
export function askForWholeStream(wording: Wording, ask: Ask, flight: Flight, timeoutSeconds: number): Ending {
  const response = post(streamBody(wording, ask), flight, timeoutSeconds, 'sse');
  if (response.status !== 200) return endingOf(response);
  const events = new StreamEvents(flight);
  for (const data of eventsOf(String(response.body))) events.event(data, undefined);
  return events.ending();
}

/** The data of each event of a stream. An event that no empty line ends is none. */
function eventsOf(stream: string): string[] {
  return stream
    .split(/\r\n\r\n|\n\n|\r\r/)
    .slice(0, -1)
    .flatMap((event) => {
      const lines = event.split(/\r\n|\n|\r/).flatMap((line) => /^data: ?(.*)$/.exec(line)?.[1] ?? []);
      return lines.length > 0 ? [lines.join('\n')] : [];
    });
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
