import type { IncomingMessage } from 'node:http';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { useAgent } from 'request-filtering-agent';
import { type TimeLimit, timeLimit } from '../time-limit.ts';

/** Gets the bytes behind a URL. @throws ImageProblem */
export type FetchImage = (url: string, signal: AbortSignal) => Promise<Buffer>;

/** An image that cannot be taken. The message is for the client: it tells nothing of the server's own network. */
export class ImageProblem extends Error {}

interface FetchSettings {
  /** Addresses that may be asked though they are not public; none by default. */
  readonly allowedAddresses?: readonly string[];
  /** Bytes; 8 MiB by default. */
  readonly largest?: number;
  /** Milliseconds for an image, redirects included; 10,000 by default. */
  readonly timeoutMs?: number;
}

const mostRedirects = 3;

/**
 * Fetches images over http and https from public addresses alone: every address that a name resolves to is looked at
 * before it is connected to, also behind a redirect.
 */
export function imageFetcher(settings: FetchSettings = {}): FetchImage {
  const { allowedAddresses = [], largest = 8 * 2 ** 20, timeoutMs = 10_000 } = settings;
  return async (url, signal) => {
    const limit = timeLimit(timeoutMs, signal);
    try {
      return await follow(url, limit);
    } finally {
      limit.end();
    }
  };

  async function follow(url: string, { signal: bounds, expired }: TimeLimit): Promise<Buffer> {
    let next = url;
    for (let hop = 0; hop <= mostRedirects; hop += 1) {
      try {
        const response = await open(next, allowedAddresses, bounds);
        const { statusCode = 0, headers } = response;
        if (statusCode < 300 || statusCode >= 400) return await read(response, largest, bounds);
        response.destroy();
        if (headers.location === undefined) throw new ImageProblem('its server redirects to nowhere');
        next = new URL(headers.location, next).href;
      } catch (error) {
        if (error instanceof ImageProblem) throw error;
        if (expired()) throw new ImageProblem(`it did not arrive within ${timeoutMs / 1000} seconds`);
        throw new ImageProblem('it cannot be reached, or lies at an address that this server does not ask');
      }
    }
    throw new ImageProblem(`its server redirects more than ${mostRedirects} times`);
  }
}

function open(url: string, allowed: readonly string[], signal: AbortSignal): Promise<IncomingMessage> {
  const { protocol, username } = new URL(url);
  if (!(protocol === 'http:' || protocol === 'https:') || username !== '') {
    throw new ImageProblem('it has a URL that is neither plain http nor https');
  }
  const agent = useAgent(url, { allowIPAddressList: [...allowed] });
  return new Promise((resolve, reject) => {
    const send = protocol === 'https:' ? requestHttps : requestHttp;
    send(url, { agent, signal, headers: { accept: 'image/*', 'accept-encoding': 'identity' } }, resolve)
      .on('error', reject)
      .end();
  });
}

async function read(response: IncomingMessage, largest: number, signal: AbortSignal): Promise<Buffer> {
  const { statusCode, headers } = response;
  const refuse = (reason: string): never => {
    response.destroy();
    throw new ImageProblem(reason);
  };
  if (statusCode !== 200) refuse(`its server answers with ${statusCode}`);
  if (!headers['content-type']?.startsWith('image/')) refuse('its server says that it is no image');
  const pieces: Buffer[] = [];
  let size = 0;
  await pipeline(
    response,
    async (body: AsyncIterable<Buffer>) => {
      for await (const piece of body) {
        size += piece.length;
        if (size > largest) throw new ImageProblem(`it has more than ${largest} bytes`);
        pieces.push(piece);
      }
    },
    { signal },
  );
  return Buffer.concat(pieces);
}
