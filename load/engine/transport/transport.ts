import type { Ending, Flight } from '../flight.ts';
import type { Ask } from '../wording.ts';

/** A way to make requests. */
export interface Transport {
  /**
   * Sends a request. What becomes of it is told to the flight; `ended` is called exactly once, when nothing more comes.
   * @returns ends the request at once, as the ending that is given
   */
  send(ask: Ask, flight: Flight, ended: (ending: Ending) => void): (ending: Ending) => void;
  /** Connections at most at a time. */
  readonly sockets: number;
  close(): Promise<void>;
}

/** The kind of failure behind an error of a connection. */
export function failureOf(error: unknown): Ending {
  const { name, code, message } = Object(error) as { readonly [member in 'name' | 'code' | 'message']?: unknown };
  if (name === 'HTTPParserError') return { failed: 'not HTTP' };
  switch (code) {
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return { failed: 'no connection' };
    case 'EMFILE':
    case 'ENFILE':
    case 'EADDRNOTAVAIL':
      return { failed: 'no socket left on this machine' };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return { failed: 'connection lost' };
    default: {
      if (typeof code !== 'string') return { failed: `fault of the client: ${String(message).slice(0, 80)}` };
      return { failed: /TLS|SSL|CERT/.test(code) ? 'no connection: TLS' : `connection: ${code}` };
    }
  }
}

/** How a response with a status other than 200 ends its request. */
export function endingOfStatus(status: number): Ending {
  return status === 429 ? 'limited' : { failed: `status ${status}` };
}
