import type { ClientRequest, IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ClientOptions, WebSocket } from 'ws';
import type { DialogStep, Failure, Frame } from '../../specs/evidence.ts';
import type { Clock } from './clock.ts';
import { dialogFailure, handshakeFailure, proxyRefused } from './dialog-failure.ts';
import type { Bounds, RawExchange, RawPiece } from './exchange.ts';
import { seconds } from './failure.ts';

/** A message as it came or went, before anything is masked. */
export interface RawFrame extends RawPiece, Pick<Frame, 'from' | 'opcode' | 'code'> {}

/** What one dialog brought. */
export interface RawDialog extends RawExchange {
  readonly socket?: { readonly frames: readonly RawFrame[]; readonly failure?: Failure };
}

export interface DialogRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly steps: readonly DialogStep[];
  /** Puts the key in the place of the word that stands for it. */
  readonly fill: (text: string) => string;
  readonly connection: Pick<ClientOptions, 'agent' | 'ca' | 'rejectUnauthorized'>;
}

/** Bytes of one message of a target. */
const messageLimit = 2 ** 20;
const frameLimit = 20_000;
/** Milliseconds that a target has to answer a close. */
const closeLimit = 1000;

/** Opens a socket and goes through the steps of a dialog. Settles in bounded time and memory, whatever the target does. */
export async function dialogOver(request: DialogRequest, bounds: Bounds, clock: Clock): Promise<RawDialog> {
  const { timeoutMs } = bounds;
  const times = { sentTime: clock.now(), sentAt: clock.elapsed() };
  let phase: 'connect' | 'headers' = 'connect';
  let proxied: Failure | undefined;
  const socket = new WebSocket(request.url, {
    ...request.connection,
    headers: request.headers,
    handshakeTimeout: timeoutMs,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: messageLimit,
    finishRequest: (opening: ClientRequest) => {
      opening.once('socket', (stream) => {
        if (!stream.connecting) phase = 'headers';
        stream.once('connect', () => {
          phase = 'headers';
        });
      });
      opening.once('proxyConnect', ({ statusCode }: { readonly statusCode: number }) => {
        if (statusCode !== 200) proxied = proxyRefused(statusCode, request.url.host);
      });
      opening.end();
    },
  });
  const dialog = openDialog(socket, bounds, clock);
  let head: Pick<NonNullable<RawExchange['response']>, 'status' | 'headers'> | undefined;
  let headersAt = 0;
  const take = (response: IncomingMessage) => {
    head = { status: response.statusCode ?? 0, headers: headersOf(response) };
    headersAt = clock.elapsed();
  };
  try {
    const opened = await new Promise<Failure | IncomingMessage | 'open'>((resolve) => {
      socket.on('upgrade', take);
      socket.on('open', () => resolve('open'));
      socket.on('unexpected-response', (_request: ClientRequest, response: IncomingMessage) => {
        take(response);
        resolve(proxied ?? response);
      });
      const { host, protocol } = request.url;
      socket.on('error', (error) => {
        resolve(handshakeFailure(error, { phase, host, secure: protocol === 'wss:', timeoutMs }));
      });
    });
    if (opened === 'open') {
      const failure = await dialog.play(request.steps, request.fill);
      const { frames } = dialog;
      return {
        ...times,
        ...(head && { headersAt, response: { ...head, pieces: [] } }),
        endedAt: clock.elapsed(),
        socket: { frames, ...(failure && { failure }) },
      };
    }
    if ('kind' in opened) return { ...times, endedAt: clock.elapsed(), failure: opened };
    const { pieces, failure } = await bodyOf(opened, bounds, clock);
    return {
      ...times,
      ...(head && { headersAt, response: { ...head, pieces } }),
      endedAt: clock.elapsed(),
      ...(failure && { failure }),
    };
  } finally {
    socket.terminate();
  }
}

interface Dialog {
  readonly frames: readonly RawFrame[];
  /** Goes through the steps and closes the socket. @returns why it did not come to its end */
  play(steps: readonly DialogStep[], fill: (text: string) => string): Promise<Failure | undefined>;
}

function openDialog(socket: WebSocket, { timeoutMs, bodyLimit }: Bounds, clock: Clock): Dialog {
  const frames: RawFrame[] = [];
  /** The type of each frame that is a message of the target. */
  const types: (string | undefined)[] = [];
  let size = 0;
  let ended = false;
  let failure: Failure | undefined;
  let wake = () => {};
  const end = new Promise<void>((resolve) => socket.once('close', () => resolve()));

  const stop = (why?: Failure) => {
    // What comes of the close at the end says nothing of the dialog.
    if (!ended) failure = why;
    ended = true;
    if (why?.kind === 'too-large') socket.terminate();
    wake();
  };
  const record = (frame: Omit<RawFrame, 'at'>) => {
    if (ended) return;
    frames.push({ at: clock.elapsed(), ...frame });
    types.push(frame.from === 'target' && frame.opcode === 'text' ? typeOf(frame.bytes) : undefined);
    size += frame.bytes.length;
    if (size > bodyLimit) stop({ kind: 'too-large', message: `the messages passed ${bodyLimit} bytes` });
    if (frames.length > frameLimit) stop({ kind: 'too-large', message: `there were more than ${frameLimit} messages` });
    wake();
  };
  const fromTarget = (opcode: RawFrame['opcode']) => (data: Buffer) => record({ from: 'target', opcode, bytes: data });
  socket.on('message', (data: Buffer, binary) => fromTarget(binary ? 'binary' : 'text')(data));
  socket.on('ping', (data: Buffer) => {
    fromTarget('ping')(data);
    if (!ended) socket.pong(data);
  });
  socket.on('pong', fromTarget('pong'));
  socket.on('close', (code, reason) => {
    // 1006 stands for a connection that ended without a close.
    if (code === 1006)
      return stop({ kind: 'closed', message: 'the connection ended without the close of a WebSocket' });
    record({ from: 'target', opcode: 'close', bytes: reason, ...(code !== 1005 && { code }) });
    stop();
  });
  socket.on('error', (error) => stop(dialogFailure(error, messageLimit)));

  return {
    frames,
    async play(steps, fill) {
      const begun = clock.elapsed();
      const starts = steps.filter((step) => 'send' in step && typeOf(Buffer.from(step.send)) === 'start').length;
      const wholeMs = 3 * timeoutMs * Math.max(1, starts);
      const whole = begun + wholeMs;
      let sent = 0;
      let started = 0;
      const arrived = async (step: Extract<DialogStep, { await: unknown }>) => {
        const limit = Math.min(whole, clock.elapsed() + (step.withinMs ?? Number.POSITIVE_INFINITY));
        const { await: wanted, endAt = [] } = step;
        for (let index = step.sinceStart ? started : sent; ; index += 1) {
          while (index >= types.length && !ended) {
            const left = Math.min(limit, (frames.at(-1)?.at ?? begun) + timeoutMs) - clock.elapsed();
            if (left <= 0) {
              // What had arrived while this process did not run is read first.
              await nextTurn();
              if (index < types.length) break;
              return;
            }
            let timer: NodeJS.Timeout | undefined;
            await new Promise<void>((resolve) => {
              wake = resolve;
              timer = setTimeout(resolve, left);
            });
            clearTimeout(timer);
          }
          if (index >= types.length) return;
          const type = types[index] ?? '';
          if (endAt.includes(type)) return 'end';
          if (!wanted.includes(type)) continue;
          if (!step.sinceStart) sent = index + 1;
          return;
        }
      };
      for (const step of steps) {
        if (ended) break;
        if ('await' in step) {
          if ((await arrived(step)) === 'end') break;
          if (clock.elapsed() >= whole) stop({ kind: 'timeout', message: `not complete within ${seconds(wholeMs)}` });
          continue;
        }
        const binary = 'sendBinary' in step;
        const text = binary ? step.sendBinary : step.send;
        record({ from: 'suite', opcode: binary ? 'binary' : 'text', bytes: Buffer.from(text) });
        sent = frames.length;
        if (typeOf(Buffer.from(text)) === 'start') started = frames.length;
        socket.send(fill(text), { binary });
      }
      ended = true;
      socket.close(1000);
      let timer: NodeJS.Timeout | undefined;
      const impatience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, Math.min(timeoutMs, closeLimit));
      });
      await Promise.race([end, impatience]);
      clearTimeout(timer);
      return failure;
    },
  };
}

function typeOf(bytes: Buffer): string | undefined {
  try {
    const type: unknown = Object(JSON.parse(bytes.toString())).type;
    return typeof type === 'string' ? type : undefined;
  } catch {
    return undefined;
  }
}

function headersOf({ rawHeaders }: IncomingMessage): [string, string][] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, pair) => [
    rawHeaders[2 * pair] ?? '',
    rawHeaders[2 * pair + 1] ?? '',
  ]);
}

/** The body of a refusal, within the bounds. */
async function bodyOf(
  response: IncomingMessage,
  { timeoutMs, bodyLimit }: Bounds,
  clock: Clock,
): Promise<{ readonly pieces: readonly RawPiece[]; readonly failure?: Failure }> {
  const pieces: RawPiece[] = [];
  let size = 0;
  const late: Failure = { kind: 'timeout', message: `no whole body within ${seconds(timeoutMs)}` };
  const cut: Failure = { kind: 'closed', message: 'the connection was closed in the middle of the body' };
  let timer: NodeJS.Timeout | undefined;
  const failure = await new Promise<Failure | undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, late);
    response.on('data', (bytes: Buffer) => {
      size += bytes.length;
      if (size > bodyLimit) resolve({ kind: 'too-large', message: `the body passed ${bodyLimit} bytes` });
      else pieces.push({ at: clock.elapsed(), bytes });
    });
    response.on('end', () => resolve(undefined));
    response.on('error', () => resolve(cut));
    response.on('close', () => resolve(response.complete ? undefined : cut));
  });
  clearTimeout(timer);
  response.destroy();
  return { pieces, ...(failure && { failure }) };
}
