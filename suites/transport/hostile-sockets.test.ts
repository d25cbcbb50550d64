import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { DialogStep, Exchange } from '../../specs/evidence.ts';
import { openLiveWire } from './live.ts';
import { openTcpTarget, type TcpTarget } from './tcp-target.ts';

const timeoutMs = 300;
const key = 'sk-a-secret-of-this-test';
const dialog: readonly DialogStep[] = [
  { send: '{"type":"start","api_key":"$STACK29_API_KEY"}' },
  { await: ['done'], sinceStart: true },
  { send: '{"type":"ping"}' },
  { await: ['pong'] },
];
let target: TcpTarget | undefined;

afterEach(async () => {
  await target?.close();
  target = undefined;
});

/** One dialog with a target that answers the request for a socket so, and how long it took in milliseconds. */
async function meet(
  answer: (socket: Socket) => void,
  path = '/ws/chat',
): Promise<Exchange & { readonly took: number }> {
  target = await openTcpTarget(answer);
  const wire = openLiveWire({ baseUrl: target.url, key, timeoutMs, userAgent: 'test/1', startedAt: 0 });
  const started = performance.now();
  const exchange = await wire.send({
    probe: 'a dialog',
    step: 0,
    method: 'GET',
    path,
    credential: 'key',
    headers: {},
    dialog,
  });
  return { ...exchange, took: performance.now() - started };
}

/** Opens the socket, and goes on once the suite has said something. */
const opening =
  (then: (socket: Socket) => void, accept?: string) =>
  (socket: Socket): void => {
    const nonce = /sec-websocket-key: (\S+)/i.exec(target?.received.at(-1) ?? '')?.[1] ?? '';
    const right = createHash('sha1').update(`${nonce}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept ?? right}\r\n\r\n`,
    );
    // The suite speaks first.
    socket.once('data', () => then(socket));
  };

/** An unmasked frame of less than 126 bytes. */
const frame = (opcode: number, payload: string | Buffer) => {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.from([0x80 + opcode, bytes.length]), bytes]);
};
const text = (payload: string) => frame(1, payload);

/** Writes a thousand times these bytes as fast as the other side reads. */
function flood(socket: Socket, bytes: Buffer): void {
  const block = Buffer.concat(Array(1000).fill(bytes));
  const more = () => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', more);
  more();
}

describe('a socket ends in bounded time and memory', () => {
  test('when it is never answered', async () => {
    const { socket, failure, took } = await meet(opening(() => {}));
    expect(failure).toBeUndefined();
    expect(socket?.frames.map(({ from }) => from)).toEqual(['suite', 'suite']);
    expect(took).toBeLessThan(20 * timeoutMs);
  });

  test('when messages never cease', async () => {
    const { socket } = await meet(opening((open) => flood(open, text('{"type":"content","content":"x"}'))));
    expect(socket?.failure).toEqual({ kind: 'too-large', message: 'there were more than 20000 messages' });
    expect(socket?.frames.length).toBe(20_001);
  });

  test('when messages never cease, slowly', async () => {
    const { socket, took } = await meet(
      opening((open) => {
        const timer = setInterval(() => open.write(text('{"type":"content","content":"x"}')), 20);
        open.on('close', () => clearInterval(timer));
      }),
    );
    expect(socket?.failure).toEqual({ kind: 'timeout', message: 'not complete within 0.9 s' });
    expect(took).toBeLessThan(20 * timeoutMs);
  });

  test('when pings of the protocol never cease', async () => {
    const { socket } = await meet(opening((open) => flood(open, frame(9, 'x'))));
    expect(socket?.failure?.kind).toBe('too-large');
  });

  test('when a message is huge', async () => {
    const length = Buffer.from([0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0]);
    const { socket } = await meet(opening((open) => open.write(length)));
    expect(socket?.failure).toEqual({ kind: 'too-large', message: 'a message passed 1048576 bytes' });
  });

  test('when a message begins and never ends', async () => {
    const { socket, took } = await meet(opening((open) => open.write(Buffer.from([0x01, 3, 0x7b]))));
    expect(socket?.failure).toBeUndefined();
    expect(took).toBeLessThan(20 * timeoutMs);
  });

  test('when the close is not answered', async () => {
    const { socket } = await meet(
      opening((open) => open.write(Buffer.concat([text('{"type":"done"}'), text('{"type":"pong"}')]))),
    );
    expect(socket?.failure).toBeUndefined();
  });
});

describe('what arrives on a socket is told', () => {
  test.each<[string, Buffer]>([
    ['an opcode that there is not', frame(3, '')],
    ['a masked frame', Buffer.from([0x81, 0x80, 1, 2, 3, 4])],
    ['bytes at random', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
    ['text that is not UTF-8', frame(1, Buffer.from([0xff, 0xfe]))],
    ['a close with a bad status', frame(8, Buffer.from([0, 1]))],
    ['a close of one byte', frame(8, 'x')],
  ])('as no WebSocket: %s', async (_, bytes) => {
    const { socket } = await meet(opening((open) => open.write(bytes)));
    expect(socket?.failure).toEqual({
      kind: 'protocol',
      message: expect.stringMatching(/^not WebSocket: [a-z0-9 ]+$/),
    });
  });

  test('as a connection that ended in the middle', async () => {
    const { socket } = await meet(
      opening((open) => {
        open.write(text('{"type":"content","content":"x"}'));
        open.end();
      }),
    );
    expect(socket?.failure).toEqual({
      kind: 'closed',
      message: 'the connection ended without the close of a WebSocket',
    });
    expect(socket?.frames.at(-1)).toMatchObject({ from: 'target', text: '{"type":"content","content":"x"}' });
  });

  test('as a close, with its status and reason', async () => {
    const reason = Buffer.concat([Buffer.from([0x03, 0xf0]), Buffer.from('not for you')]);
    const { socket, took } = await meet(opening((open) => open.write(frame(8, reason))));
    expect(socket?.frames.at(-1)).toMatchObject({ from: 'target', opcode: 'close', code: 1008, text: 'not for you' });
    expect([socket?.failure, took < timeoutMs]).toEqual([undefined, true]);
  });

  test('without the key, wherever it stands', async () => {
    const exchange = await meet(
      opening((open) => {
        open.write(text(`{"type":"content","content":"${key}"}`));
        open.write(frame(2, Buffer.concat([Buffer.from([0xff]), Buffer.from(key)])));
        open.write(text('{"type":"done"}'));
      }),
      '/ws/chat?api_key=$STACK29_API_KEY',
    );
    expect(JSON.stringify(exchange)).not.toContain(key);
    expect(JSON.stringify(exchange)).not.toContain(Buffer.from(key).toString('base64'));
    expect(
      exchange.socket?.frames.map(({ text, base64 }) => text ?? Buffer.from(base64 ?? '', 'base64').toString('latin1')),
    ).toEqual([
      '{"type":"start","api_key":"$STACK29_API_KEY"}',
      '{"type":"content","content":"[masked]"}',
      '\xff[masked]',
      '{"type":"done"}',
      '{"type":"ping"}',
    ]);
    expect(target?.received[0]).toContain(`GET /v1/ws/chat?api_key=${key} HTTP/1.1`);
    expect(target?.received[0]).not.toMatch(/^authorization:/im);
  });
});

describe('a request for a socket is told to have failed', () => {
  const answering = (bytes: string) => (socket: Socket) => socket.end(bytes);

  test.each<[string, (socket: Socket) => void, string]>([
    ['without an answer', () => {}, 'timeout'],
    ['by the end of the connection', (socket) => socket.end(), 'closed'],
    ['by what is not HTTP', answering('+OK ready\r\n'), 'protocol'],
    ['by a 101 for another socket', opening(() => {}, 'bm90IHRoZSBvbmU='), 'protocol'],
    ['by a body that is cut', answering('HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n{'), 'closed'],
  ])('%s', async (_, answer, kind) => {
    const { failure, took } = await meet(answer);
    expect(failure?.kind).toBe(kind);
    expect(took).toBeLessThan(20 * timeoutMs);
  });

  test('by a body without end', async () => {
    const { failure, response } = await meet((socket) => {
      socket.write('HTTP/1.1 401 Unauthorized\r\n\r\n');
      flood(socket, Buffer.alloc(1024));
    });
    expect([failure?.kind, response?.status]).toEqual(['too-large', 401]);
  });

  test('but not by a refusal, which is an answer', async () => {
    const { failure, response, socket } = await meet(
      answering('HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno'),
    );
    expect([failure, response?.status, response?.pieces[0]?.text, socket]).toEqual([undefined, 426, 'no', undefined]);
  });

  test('by a target that is not there', async () => {
    const wire = openLiveWire({ baseUrl: 'http://127.0.0.1:1/v1', key, timeoutMs, userAgent: 'test/1', startedAt: 0 });
    const request = {
      probe: 'a',
      step: 0,
      method: 'GET',
      path: '/ws/chat',
      credential: 'key',
      headers: {},
      dialog,
    } as const;
    expect((await wire.send(request)).failure).toEqual({
      kind: 'refused',
      message: 'connection refused by 127.0.0.1:1',
    });
  });
});
