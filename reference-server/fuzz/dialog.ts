import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { problemsOf, type SchemaName } from '../../specs/validate.ts';
import { isObject, type Members } from '../change.ts';
import type { Frame, SocketStimulus } from './messages.ts';

const answerMs = 10_000;

/**
 * Says a stimulus on a socket of its own, then stop and ping, and demands of the server: documented messages alone, none
 * of which is an internal error; a done or an error for every start, an error for every message that is none, and a pong
 * for every ping; or else a close that is not its own fault, and a new socket that is answered.
 * @returns how it came out: `socket` or `close`
 * @throws Error that says what is wrong with the answer
 */
export async function provokeOverSocket(port: number, key: string, { frames }: SocketStimulus): Promise<string> {
  const code = await converse(port, key, [...frames, ...(frames.at(-1)?.kind === 'broken' ? [] : ending)]);
  if (code === undefined) return 'socket';
  if (code === 1006 || code === 1011) throw new Error(`the socket was closed with ${code}`);
  if ((await converse(port, key, ending)) !== undefined) throw new Error('a new socket was closed');
  return 'close';
}

const ending: readonly Frame[] = ['stop', 'ping'].map((type) => ({
  kind: 'text',
  data: Buffer.from(JSON.stringify({ type })),
}));

/** Says something on a new socket, until all of it is answered. @returns the status of a close, where there was one */
async function converse(port: number, key: string, frames: readonly Frame[]): Promise<number | undefined> {
  let connection: Socket | undefined;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/ws/chat`, {
    headers: { authorization: `Bearer ${key}` },
    perMessageDeflate: false,
    createConnection: () => {
      connection = connect(port, '127.0.0.1');
      return connection;
    },
  });
  const due = dueFor(frames);
  const received: Members[] = [];
  const counted = (...types: readonly unknown[]) => received.filter(({ type }) => types.includes(type)).length;
  const outcome = new Promise<number | undefined>((resolve, reject) => {
    const timer = setTimeout(() => {
      const types = received.map(({ type }) => type).join(', ');
      reject(new Error(`no close, nor ${due.ends} ends and ${due.pongs} pongs within ${answerMs} ms, but ${types}`));
    }, answerMs);
    const settle = (settled: () => void) => {
      clearTimeout(timer);
      settled();
    };
    socket.on('message', (data) => {
      try {
        received.push(readMessage(String(data)));
        // All that comes before a ping is answered before it, but for generations.
        if (counted('pong') === due.pongs && counted('error') < due.errors)
          throw new Error(
            `of ${due.errors} messages that are none only ${counted('error')} were answered with an error`,
          );
      } catch (error) {
        settle(() => reject(error));
      }
      const whole = counted('done', 'error') >= due.ends && counted('pong') >= due.pongs;
      if (!due.close && whole) settle(() => resolve(undefined));
    });
    socket.on('close', (code) => settle(() => resolve(code)));
  });
  socket.on('error', () => {});
  try {
    await Promise.race([once(socket, 'open'), outcome]);
    for (const frame of frames) say(socket, connection, frame);
    return await outcome;
  } finally {
    socket.terminate();
  }
}

function say(socket: WebSocket, connection: Socket | undefined, { kind, data, split }: Frame): void {
  if (kind === 'broken') {
    connection?.write(data);
    return;
  }
  const options = { binary: kind === 'binary' };
  if (split) socket.send(data.subarray(0, data.length / 2), { ...options, fin: false });
  socket.send(split ? data.subarray(data.length / 2) : data, options);
}

interface Due {
  /** Messages that end something: a done, or an error. */
  readonly ends: number;
  /** Of these, what can only be an error. */
  readonly errors: number;
  readonly pongs: number;
  readonly close: boolean;
}

function dueFor(frames: readonly Frame[]): Due {
  const types = frames.map(typeOf);
  const starts = types.filter((type) => type === 'start').length;
  const errors = types.filter((type) => !['ping', 'stop', 'start', 'broken'].some((known) => known === type)).length;
  return {
    ends: starts + errors,
    errors,
    pongs: types.filter((type) => type === 'ping').length,
    close: types.includes('broken'),
  };
}

/** The type of a message that has one. */
function typeOf({ kind, data }: Frame): unknown {
  if (kind !== 'text') return kind;
  try {
    const message: unknown = JSON.parse(data.toString());
    return isObject(message) ? message.type : undefined;
  } catch {
    return undefined;
  }
}

function readMessage(text: string): Members {
  const message: unknown = JSON.parse(text);
  if (!isObject(message)) throw new Error(`a message is no object: ${text.slice(0, 500)}`);
  const name = `ws-${message.type}`.replace('_', '-') as SchemaName;
  const [problem] = problemsOf(name, message);
  if (problem) throw new Error(`the message has ${problem.actual} at ${problem.pointer}, not ${problem.expected}`);
  if (message.code === 'internal_error') throw new Error(`an internal error: ${text.slice(0, 500)}`);
  return message;
}
