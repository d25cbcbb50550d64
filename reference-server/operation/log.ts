import { pino } from 'pino';
import type { Exchange } from '../admission.ts';
import { isOutage } from '../failure.ts';
import type { Account } from '../keys/keyring.ts';
import type { Chat, Watcher } from './watcher.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** The status of a socket whose connection ended without a close. */
const lostCode = 1006;

export interface Log {
  readonly watcher: Watcher;
  /** What the server says of itself. */
  say(words: string, level?: LogLevel): void;
  /** An error that is the server's own. */
  fault(error: unknown): void;
}

/**
 * A log of JSON, a line an event. Of requests it holds ids, routes, times and counts: never a URL, a key or anything that
 * a client or a model said.
 */
export function createLog(level: LogLevel, write: (line: string) => void): Log {
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  // Probes of /health come every few seconds.
  const levelOf = ({ route }: Exchange) => (route === '/health' ? 'debug' : 'info');
  return {
    watcher: {
      requestBegan(exchange) {
        log[levelOf(exchange)](factsOf(exchange), 'request began');
      },
      requestEnded(exchange, status, whole) {
        const { chat } = exchange;
        const facts = { ...factsOf(exchange), status, ...(!whole && { cut: true }), durationMs: since(exchange) };
        log[levelOf(exchange)]({ ...facts, ...(chat && factsOfChat(exchange, chat)) }, 'request ended');
      },
      readerCut(exchange) {
        log.warn({ ...factsOf(exchange), durationMs: since(exchange) }, 'reader cut');
      },
      refused(reason) {
        log.debug({ reason }, 'refused');
      },
      chatEnded(exchange, chat) {
        // That of a request is told with the request.
        if (chat.transport !== 'websocket') return;
        const { id, account } = exchange;
        const durationMs = since(exchange, chat.endedAt);
        log.info({ id, account: nameOf(account), durationMs, ...factsOfChat(exchange, chat) }, 'chat ended');
      },
      socketOpened({ id }) {
        log.info({ id }, 'socket opened');
      },
      socketError({ id }, code) {
        log.info({ id, code }, 'socket error');
      },
      socketClosed(exchange, code) {
        const facts = { ...factsOf(exchange), code, ...(code === lostCode && { cut: true }) };
        log.info({ ...facts, durationMs: since(exchange) }, 'socket closed');
      },
      delivery(outcome) {
        log.debug({ outcome }, 'webhook delivery');
      },
    },
    say: (words, level = 'info') => log[level](words),
    fault(error) {
      if (isOutage(error)) log.warn({ fault: error.constructor.name }, error.message);
      else log.error(factsOf500(error), 'fault');
    },
  };
}

function factsOf({ id, method, route, account }: Exchange) {
  return { id, method, route, account: nameOf(account) };
}

/** Enough of the digest of a key to tell it from others, and too little to find a weak one by trying. */
function nameOf({ id }: Account): string {
  return id.startsWith('key ') ? id.slice(0, 'key '.length + 8) : id;
}

function factsOfChat(
  exchange: Exchange,
  { id, transport, outcome, promptTokens, completionTokens, firstTokenAt }: Chat,
) {
  const ttftMs = firstTokenAt === undefined ? undefined : since(exchange, firstTokenAt);
  return { chat: id, transport, outcome, promptTokens, completionTokens, ttftMs };
}

/** Milliseconds since an exchange began. */
function since({ since: begin }: Exchange, end = performance.now()): number {
  return Math.round((end - begin) * 10) / 10;
}

/** The message of an error that nobody expected may quote what it is about, so that only its place is told. */
function factsOf500(error: unknown) {
  if (!(error instanceof Error)) return { fault: typeof error };
  const { name, stack = '' } = error;
  return { fault: name, stack: stack.match(/^ +at .*$/gm)?.map((line) => line.trim()) };
}
