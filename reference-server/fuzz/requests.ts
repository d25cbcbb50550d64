import fc from 'fast-check';
import { chatBodies } from './bodies.ts';

/** What is sent on one connection. */
export interface Stimulus {
  readonly bytes: Buffer;
  /** The method, where the request line holds one. */
  readonly method: string;
  /** HTTP lets a server end the connection without an answer. */
  readonly mayGoUnanswered: boolean;
}

interface Head {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
}

const paths = [
  ...['/v1/chat/completions', '/v1/models', '/v1/models/stack29/scripted', '/v1/models/stack29%2Fscripted', '/health'],
  ...['/', '//', '/v1', '/v1/', '/v1/models/', '/v1/ws/chat', '/v1/chat/completions/', '*', '/v1/models/%2e%2e/%00'],
];

const methods = [
  'GET',
  'POST',
  'HEAD',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
  'BREW',
  'get',
];

const visible = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
});

const oddPath = fc.oneof(
  fc.constantFrom(...paths),
  fc.tuple(fc.constantFrom(...paths), visible).map(([path, rest]) => path + rest),
  fc.webPath().map((path) => `/v1/models/${path}`),
  fc.tuple(fc.constantFrom(...paths), fc.webQueryParameters()).map(([path, query]) => `${path}?${query}`),
  fc.integer({ min: 1, max: 30_000 }).map((length) => `/v1/models/${'a'.repeat(length)}`),
);

/** Headers that are sent beside those of an ordinary request, or once more. */
const oddHeader = fc.oneof(
  fc.constantFrom(
    ...[
      'Content-Type: text/plain',
      'Content-Type: application/json; charset=utf-16',
      'Content-Type: ',
      'Content-Type: a',
    ],
    ...[
      'Content-Type: multipart/form-data',
      'Content-Encoding: gzip',
      'Content-Encoding: identity, br',
      'Accept: nothing',
    ],
    ...['Expect: 100-continue', 'Expect: miracles', 'Transfer-Encoding: gzip', 'Transfer-Encoding: chunked', 'Host: '],
    ...['Host: a, b', 'Upgrade: h2c', 'Upgrade: websocket', 'Connection: Upgrade', 'TE: trailers', 'Range: bytes=0-1'],
    ...[
      'Content-Length: -1',
      'Content-Length: 1e3',
      'Content-Length: 5',
      'X-HTTP-Method-Override: DELETE',
      'Cookie: a',
    ],
    ...[
      'Authorization: Bearer',
      'Authorization: Basic Og==',
      'Authorization: Bearer \u00e9',
      'Authorization: Bearer a b',
    ],
  ),
  fc.tuple(visible, fc.string({ maxLength: 40 })).map(([name, value]) => `${name}: ${value}`),
  fc.integer({ min: 1, max: 20_000 }).map((length) => `X-Long: ${'a'.repeat(length)}`),
);

function written({ method, path, headers }: Head, body: Buffer): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, ...headers, `Content-Length: ${body.length}`];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

/** Requests of every kind: to the chat with any body, to anything with any head, and bytes that are no request. */
export function requests(model: string, key: string): fc.Arbitrary<Stimulus> {
  const usual = ['Host: localhost', `Authorization: Bearer ${key}`];
  const bodies = chatBodies(model);
  const chat: Head = {
    method: 'POST',
    path: '/v1/chat/completions',
    headers: [...usual, 'Connection: close', 'Content-Type: application/json'],
  };
  const chats = bodies.map((body) => ({ bytes: written(chat, body), method: 'POST', mayGoUnanswered: false }));
  const line = fc.oneof(
    fc.constantFrom({ method: 'POST', path: chat.path }, { method: 'GET', path: '/v1/models' }),
    fc.record({ method: fc.oneof(fc.constantFrom(...methods), visible), path: oddPath }),
  );
  const known = fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.subarray(usual) });
  const head = fc.tuple(line, known, fc.array(oddHeader, { maxLength: 3 })).map(([start, headers, odd]) => ({
    ...start,
    headers: [...odd, ...headers, 'Connection: close'],
    isOdd: odd.length > 0 || !methods.includes(start.method),
  }));
  // A head that is not HTTP, or a length that is not that of the body, leaves the answer to the parser.
  const others = fc.tuple(head, fc.oneof(fc.constant(Buffer.alloc(0)), bodies)).map(([odd, body]) => ({
    bytes: written(odd, body),
    method: odd.method,
    mayGoUnanswered: odd.isOdd,
  }));
  const garbage = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => ({
    bytes: Buffer.from(bytes),
    method: '',
    mayGoUnanswered: true,
  }));
  return fc.oneof(
    { weight: 12, arbitrary: chats },
    { weight: 6, arbitrary: others },
    { weight: 1, arbitrary: garbage },
  );
}
