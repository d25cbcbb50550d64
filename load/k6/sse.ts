import type { Flight } from '../engine/flight.ts';
import type { Wording } from '../engine/job.ts';
import { StreamEvents } from '../engine/reading.ts';
import type { Ask } from '../engine/wording.ts';
import { type Ending, endingOfStatus } from './flight.ts';
import { streamBody } from './http-chat.ts';
import { requestHeaders, settings, targetUrl } from './settings.ts';

/** What is used of the extension `k6/x/sse`, which is no part of k6 and has no published types. */
interface SseModule {
  open(
    url: string,
    params: {
      readonly method: string;
      readonly body: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly tags: Readonly<Record<string, string>>;
    },
    /** Called before any event; open returns when the stream has ended. */
    begin: (client: SseClient) => void,
  ): { readonly status: number; readonly error: string };
}

interface SseClient {
  on(event: 'event', listener: (event: { readonly data: string }) => void): void;
  on(event: 'error', listener: (error: { error(): string }) => void): void;
  close(): void;
}

/**
 * The extension, where the script is told that this k6 has it. Its name comes from outside, as k6 would try to fetch
 * an extension that a script names itself.
 */
export const sseModule: SseModule | undefined = load(settings.sseModule);

function load(name: string | undefined): SseModule | undefined {
  if (name === undefined) return undefined;
  const { require: loadModule } = globalThis as { require?: (name: string) => SseModule & { default?: SseModule } };
  if (loadModule === undefined) throw new Error('STACK29_SSE needs a k6 that has require');
  const loaded = loadModule(name);
  return loaded.default ?? loaded;
}

/** Asks for an event stream and takes the time of each event as the script is given it, to 1 ms. */
export function askForEvents(module: SseModule, wording: Wording, ask: Ask, flight: Flight): Ending {
  const events = new StreamEvents(flight);
  const state = { lost: false };
  flight.sent = Date.now();
  const { status, error } = module.open(
    `${targetUrl()}/chat/completions`,
    {
      method: 'POST',
      body: streamBody(wording, ask),
      headers: requestHeaders(),
      tags: { name: 'chat', transport: 'sse' },
    },
    (client) => {
      client.on('event', ({ data }) => events.event(data, Date.now()));
      client.on('error', (problem) => {
        // It also calls a line an error that it does not know, as the empty ones that end in CRLF.
        if (/unknown event/.test(String(problem.error?.()))) return;
        state.lost = true;
        client.close();
      });
    },
  );
  if (error) return { failed: 'no connection' };
  if (status !== 200) return endingOfStatus(status);
  return state.lost ? { failed: 'connection lost' } : events.ending();
}
