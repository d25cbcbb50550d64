import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Exchange } from '../../specs/evidence.ts';
import { readReply } from '../reply.ts';
import { openLiveWire } from './live.ts';
import { openTcpTarget, type TcpTarget } from './tcp-target.ts';

/**
 * The failure tells which bound cut an exchange off, so that no test needs a clock: that of a phase is over before that
 * of the whole, which is three times as long, on a machine that stands still, too.
 */
const timeoutMs = 200;
let target: TcpTarget | undefined;

afterEach(async () => {
  await target?.close();
  target = undefined;
  vi.unstubAllEnvs();
});

const chat = {
  probe: 'a chat',
  step: 0,
  method: 'POST',
  path: '/chat/completions',
  credential: 'key',
  headers: {},
} as const;

/** One chat with a target that answers so. */
async function meet(answer: (socket: Socket) => void, bound = timeoutMs): Promise<Exchange> {
  target = await openTcpTarget(answer);
  return ask(target.url, bound);
}

async function ask(baseUrl: string, bound = timeoutMs): Promise<Exchange> {
  const wire = openLiveWire({
    baseUrl,
    key: 'sk-a-secret-of-this-test',
    timeoutMs: bound,
    userAgent: 'test/1',
    startedAt: 0,
  });
  return wire.send({ ...chat, body: '{}' });
}

const head = (...lines: string[]) => `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
const json = 'content-type: application/json';

/** Writes again and again until the other side goes away. */
function forever(socket: Socket, bytes: string | Buffer, everyMs: number): void {
  const timer = setInterval(() => socket.write(bytes), everyMs);
  socket.on('close', () => clearInterval(timer));
}

/** Writes as fast as the other side reads. */
function flood(socket: Socket, block: Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', more);
  more();
}

describe('a target that does not answer', () => {
  test('a closed port is refused', async () => {
    const gone = await openTcpTarget(() => {});
    await gone.close();
    const { failure, response } = await ask(gone.url);
    expect(failure).toEqual({ kind: 'refused', message: `connection refused by ${new URL(gone.url).host}` });
    expect(response).toBeUndefined();
  });

  test('an unknown name is refused', async () => {
    vi.stubEnv('NO_PROXY', '*');
    const { failure } = await ask('http://nowhere.invalid/v1');
    expect(failure?.kind).toBe('refused');
    expect(failure?.message).toContain('nowhere.invalid');
  });

  test('silence after the request times out', async () => {
    const { failure } = await meet(() => {});
    expect(failure).toEqual({ kind: 'timeout', message: 'no headers within 0.2 s' });
  });

  test('a TLS handshake that is never answered is no connection', async () => {
    target = await openTcpTarget(() => {});
    const { failure } = await ask(target.url.replace('http:', 'https:'));
    expect(failure).toEqual({ kind: 'timeout', message: 'no connection within 0.2 s' });
  });

  test('a target that hangs up without a word has closed', async () => {
    const { failure } = await meet((socket) => socket.end());
    expect(failure).toEqual({ kind: 'closed', message: 'the connection was closed without a response' });
  });

  test('a target that resets the connection has closed', async () => {
    const { failure } = await meet((socket) => socket.resetAndDestroy());
    expect(failure?.kind).toBe('closed');
  });

  test('a target that closes its side alone, in the middle of the headers, has closed', async () => {
    const { failure } = await meet((socket) => {
      socket.allowHalfOpen = true;
      socket.write('HTTP/1.1 200 OK\r\ncontent-');
      socket.end();
    });
    expect(failure?.kind).toBe('closed');
  });
});

describe('headers', () => {
  test('headers that go on for ever are cut off', async () => {
    const { failure } = await meet((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      forever(socket, `x-more: ${'a'.repeat(1000)}\r\n`, 1);
    }, 10_000);
    expect(failure).toEqual({ kind: 'too-large', message: 'the headers passed 16 KiB' });
  });

  test('headers that come a byte at a time without an end time out', async () => {
    const { failure } = await meet((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
      forever(socket, 'a', 10);
    });
    expect(failure?.message).toBe('no headers within 0.2 s');
  });

  test('garbage instead of HTTP is told as such', async () => {
    const { failure } = await meet((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    expect(failure?.kind).toBe('protocol');
    expect(failure?.message).not.toContain('OpenSSH');
  });

  test('headers that contradict each other about the length are not HTTP', async () => {
    const { failure } = await meet((socket) => socket.end(`${head('content-length: 3', 'content-length: 4')}abcd`));
    expect(failure?.kind).toBe('protocol');
  });

  test('an upgrade that nobody asked for is not an answer', async () => {
    const { failure } = await meet((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n'),
    );
    expect(failure?.kind).toBe('protocol');
  });

  test('hints without a response after them are no headers', async () => {
    const { failure, response } = await meet((socket) =>
      socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'),
    );
    expect(failure?.message).toBe('no headers within 0.2 s');
    expect(response).toBeUndefined();
  });

  test('names keep their case, and lines of one name stay apart', async () => {
    const { response } = await meet((socket) =>
      socket.end(head('X-RateLimit-Limit: 5', 'Vary: a', 'vary: b', 'Content-Length: 0')),
    );
    expect(response?.headers).toEqual([
      ['X-RateLimit-Limit', '5'],
      ['Vary', 'a'],
      ['vary', 'b'],
      ['Content-Length', '0'],
    ]);
  });
});

describe('bodies', () => {
  test('a body that ends before its content-length is closed in the middle', async () => {
    const { failure, response } = await meet((socket) => socket.end(`${head(json, 'content-length: 30')}{"a":1}`));
    expect(failure).toEqual({ kind: 'closed', message: 'the connection was closed in the middle of the body' });
    expect(response?.pieces.map(({ text }) => text)).toEqual(['{"a":1}']);
  });

  test.each(['', 'connection: close\r\n'])(
    'a chunked body without its end is closed in the middle (%j)',
    async (extra) => {
      const { failure } = await meet((socket) =>
        socket.end(`HTTP/1.1 200 OK\r\n${extra}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`),
      );
      expect(failure?.kind).toBe('closed');
    },
  );

  test('a content-length with "connection: close" that is not reached is closed in the middle', async () => {
    const { failure } = await meet((socket) => socket.end(`${head('connection: close', 'content-length: 30')}abc`));
    expect(failure?.kind).toBe('closed');
  });

  test('bytes past the content-length make it a lie', async () => {
    const { failure, response } = await meet((socket) => socket.write(`${head(json, 'content-length: 3')}{"a":1}`));
    expect(failure?.kind).toBe('protocol');
    expect(failure?.message).toContain('length is wrong');
    expect(response?.status).toBe(200);
  });

  test('a chunk size that is no number is not HTTP', async () => {
    const { failure } = await meet((socket) => socket.write(`${head('transfer-encoding: chunked')}zz\r\nabc\r\n`));
    expect(failure?.kind).toBe('protocol');
  });

  test('a body that stops coming times out and keeps what came', async () => {
    const { failure, response } = await meet((socket) => socket.write(`${head('content-length: 30')}abc`));
    expect(failure).toEqual({ kind: 'timeout', message: 'no further piece of the body within 0.2 s' });
    expect(response?.pieces).toHaveLength(1);
  });

  test('a stream without end is cut off by the bound on the whole', async () => {
    // Long enough that a machine that stands still for a moment makes no pause of this length.
    const { failure, response } = await meet((socket) => {
      socket.write(head('content-type: text/event-stream'));
      forever(socket, 'data: {}\n\n', 20);
    }, 1_000);
    expect(failure).toEqual({ kind: 'timeout', message: 'not complete within 3 s' });
    expect(response?.pieces.length).toBeGreaterThan(5);
  });

  test('a body that comes a byte at a time arrives whole, each byte with its own time', async () => {
    const exchange = await meet((socket) => {
      socket.write(head(json, 'content-length: 8'));
      const bytes = [...'{"a":12}'];
      const timer = setInterval(() => {
        const next = bytes.shift();
        if (next) socket.write(next);
        else clearInterval(timer);
      }, 15);
    });
    expect(exchange.failure).toBeUndefined();
    expect(readReply(exchange).json).toEqual({ a: 12 });
    const times = exchange.response?.pieces.map(({ at }) => at) ?? [];
    expect(times).toHaveLength(8);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(60);
  });

  test('100 MB are not read to their end', async () => {
    const before = process.memoryUsage().rss;
    const { failure } = await meet((socket) => {
      socket.write(head('content-length: 100000000'));
      flood(socket, Buffer.alloc(2 ** 20, 'a'));
    });
    expect(failure).toEqual({ kind: 'too-large', message: 'the body passed 8388608 bytes' });
    expect(target?.written()).toBeLessThan(40e6);
    expect(process.memoryUsage().rss - before).toBeLessThan(120e6);
  });

  test('a body in a great many pieces is cut off', async () => {
    const { failure, response } = await meet((socket) => {
      socket.write(head('transfer-encoding: chunked'));
      flood(socket, Buffer.from('1\r\na\r\n'.repeat(20_000)));
    }, 10_000);
    expect(failure?.kind).toBe('too-large');
    expect(response?.pieces.length).toBeLessThan(110_000);
  });

  test('a gzip bomb is a problem of the body, and small in memory', async () => {
    const bomb = gzipSync(Buffer.alloc(200e6));
    const exchange = await meet((socket) => {
      socket.write(head(json, 'content-encoding: gzip', `content-length: ${bomb.length}`));
      socket.end(bomb);
    });
    expect(exchange.failure).toBeUndefined();
    const reply = readReply(exchange);
    expect(reply.bodyProblem).toBe('the gzip body unpacks to more than 16777216 bytes');
    expect(reply.json).toBeUndefined();
  });

  test('bytes that are not UTF-8 are kept exactly', async () => {
    const bytes = Buffer.from([0x7b, 0xff, 0x7d]);
    const exchange = await meet((socket) => {
      socket.write(head(json, 'content-length: 3'));
      socket.end(bytes);
    });
    expect(exchange.response?.pieces.map(({ base64 }) => base64)).toEqual([bytes.toString('base64')]);
    expect(readReply(exchange).bodyProblem).toBe('not valid UTF-8 at byte 1 (0xff)');
  });

  test.each(['{"a":', '<html><title>502 Bad Gateway</title></html>'])('%s arrives, and is not JSON', async (body) => {
    const exchange = await meet((socket) =>
      socket.end(head('content-type: text/html', `content-length: ${body.length}`) + body),
    );
    expect(exchange.failure).toBeUndefined();
    expect(readReply(exchange)).toMatchObject({ status: 200, text: body, json: undefined, isStream: false });
  });
});

describe('what HTTP allows', () => {
  const whole = `${head(json, 'content-length: 2')}{}`;
  test.each([
    ['hints before the response', `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${whole}`, '{}'],
    ['trailers', `${head('transfer-encoding: chunked')}2\r\n{}\r\n0\r\nx-after: 1\r\n\r\n`, '{}'],
    ['a body that the end of the connection ends', `${head(json)}{}`, '{}'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\n{}', '{}'],
    ['a line end after the body', `${whole}\r\n`, '{}'],
    ['an empty body', head('content-length: 0'), ''],
    ['chunk extensions', `${head('transfer-encoding: chunked')}2;a=b\r\n{}\r\n0\r\n\r\n`, '{}'],
  ])('%s', async (_name, bytes, text) => {
    const exchange = await meet((socket) => socket.end(bytes));
    expect(exchange.failure).toBeUndefined();
    expect(readReply(exchange)).toMatchObject({ status: 200, text });
  });
});
