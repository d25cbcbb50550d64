import { type MessagePort, parentPort } from 'node:worker_threads';
import { createParser } from 'eventsource-parser';
import { Agent, request } from 'undici';
import { WebSocket } from 'ws';
import type { WireMessage, WireRequest, WireResponse } from './protocol.ts';

/** Does the requests of all users, so that a user may block while one is under way. */
parentPort?.on('message', ({ blocking, asynchronous }: Record<'blocking' | 'asynchronous', MessagePort>) => {
  // Users share no connections.
  const agent = new Agent({ pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  blocking.on('message', async ({ request: asked, signal }: { request: WireRequest; signal: SharedArrayBuffer }) => {
    const arrived = new Int32Array(signal);
    const tell = (message: WireMessage) => {
      blocking.postMessage(message);
      Atomics.add(arrived, 0, 1);
      Atomics.notify(arrived, 0);
    };
    tell(await carryOut(asked, agent, tell));
  });
  asynchronous.on('message', async ({ request: asked, id }: { request: WireRequest; id: number }) => {
    asynchronous.postMessage({ id, response: await carryOut(asked, agent, () => {}) });
  });
});

function carryOut(asked: WireRequest, agent: Agent, tell: (message: WireMessage) => void): Promise<WireResponse> {
  return asked.kind === 'upgrade' ? upgrade(asked) : send(asked, agent, tell);
}

async function send(
  { kind, method, url, body, headers, timeoutMs }: WireRequest,
  agent: Agent,
  tell: (message: WireMessage) => void,
): Promise<WireResponse> {
  const begun = performance.now();
  let begunBody = begun;
  try {
    const response = await request(url, {
      method: method as 'POST',
      body: body ?? null,
      headers,
      dispatcher: agent,
      ...(timeoutMs > 0 && { signal: AbortSignal.timeout(timeoutMs) }),
    });
    begunBody = performance.now();
    let text = '';
    const parser = createParser({ onEvent: ({ data }) => tell({ type: 'event', data }) });
    response.body.setEncoding('utf8');
    for await (const chunk of response.body) {
      text += chunk;
      if (kind === 'sse') parser.feed(String(chunk));
    }
    return {
      ...answer(response.statusCode),
      headers: asGoWritesThem(response.headers),
      body: text,
      waiting: begunBody - begun,
      receiving: performance.now() - begunBody,
    };
  } catch (error) {
    return { ...answer(0), ...errorOf(error), waiting: performance.now() - begun };
  }
}

function answer(status: number): WireResponse {
  const errorCode = status >= 400 ? 1000 + status : 0;
  return { type: 'response', status, headers: {}, body: '', error: '', errorCode, waiting: 0, receiving: 0 };
}

function errorOf(error: unknown): Pick<WireResponse, 'error' | 'errorCode'> {
  const { name, code, message } = Object(error) as Readonly<Record<'name' | 'code' | 'message', unknown>>;
  if (name === 'TimeoutError') return { error: 'request timeout', errorCode: 1050 };
  const errorCode = code === 'ECONNREFUSED' ? 1212 : code === 'ENOTFOUND' ? 1101 : code === 'ECONNRESET' ? 1220 : 1000;
  return { error: String(message), errorCode };
}

/** Header names as k6 has them: `X-Ratelimit-Limit`. */
function asGoWritesThem(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()),
      String(value),
    ]),
  );
}

/** Whether a WebSocket would be opened: it is closed at once. */
function upgrade({ url, headers }: WireRequest): Promise<WireResponse> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, { headers });
    socket.on('open', () => {
      socket.close();
      resolve(answer(101));
    });
    socket.on('unexpected-response', (clientRequest, { statusCode }) => {
      clientRequest.destroy();
      resolve(answer(statusCode ?? 0));
    });
    socket.on('error', (error) => resolve({ ...answer(0), ...errorOf(error) }));
  });
}
