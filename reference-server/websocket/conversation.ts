import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RawData, WebSocket } from 'ws';
import { show } from '../../specs/words.ts';
import { checkLimits, checkPhase, countRequest, type Exchange } from '../admission.ts';
import { ApiError } from '../api-error.ts';
import { isObject, type Members } from '../change.ts';
import { toApiError } from '../failure.ts';
import { checkChat } from '../routes/chat.ts';
import type { Service } from '../service.ts';
import type { Channel } from './channel.ts';
import { holderOf, refuseSocketKey } from './key.ts';
import type { KeyPlace, Outbound, Scene, SocketBehaviour } from './socket-behaviour.ts';
import { errorMessage, turnMessages } from './turn.ts';

/** An open socket. */
export interface Conversation {
  readonly service: Service;
  readonly behaviour: Required<SocketBehaviour>;
  /** The request that opened it. */
  readonly opened: Exchange;
  /** Where that request held a key. */
  readonly keyPlace: KeyPlace | undefined;
  readonly socket: WebSocket;
  readonly channel: Channel;
}

/** A client that is told to leave has this long to close its side. */
const farewellMs = 1_000;

/**
 * Answers the messages of one socket in their order, a generation beside them. What is read waits for what is written:
 * a client that does not read is not read from either.
 * @returns tells the client to leave once no generation runs for it
 */
export function converse(conversation: Conversation): () => void {
  const { behaviour, socket, channel, opened, service } = conversation;
  /** Ends the generation that runs. */
  let stop = () => {};
  let gone = false;
  let turns: Promise<void> = Promise.resolve();
  let waiting = 0;
  let handled: Promise<void> = Promise.resolve();
  const over = service.activity.begin();
  service.watch.socketOpened(opened);

  const scene = (received: unknown): Scene => ({
    exchange: opened,
    received,
    keyPlace: keyPlaceOf(conversation, received),
    running: waiting > 0,
  });

  async function send(message: Outbound): Promise<void> {
    await behaviour.transmit(channel, typeof message === 'string' ? message : JSON.stringify(message));
  }

  async function reply(message: Outbound, about: Scene): Promise<void> {
    for (const part of behaviour.reply(message, about)) await send(part);
  }

  async function fail(error: ApiError, about: Scene): Promise<void> {
    service.watch.socketError(opened, error.code);
    await reply(errorMessage(error), about);
  }

  async function handle(data: RawData, binary: boolean): Promise<void> {
    const message = parse(data, binary);
    if (message instanceof ApiError) return fail(message, scene(undefined));
    const about = scene(message);
    const taken = behaviour.receive(message, about);
    switch (taken?.type) {
      case undefined:
        if (taken) await fail(unknownType(taken.type), about);
        return;
      case 'ping':
        return reply({ type: 'pong' }, about);
      case 'stop':
        return stop();
      case 'start':
        if (waiting > 0 && behaviour.secondStart === 'refuse') return fail(busy, about);
        waiting += 1;
        turns = turns.then(() => run(taken, about)).catch(service.onFault);
        return;
      default:
        return fail(unknownType(taken?.type), about);
    }
  }

  async function run(start: Members, about: Scene): Promise<void> {
    const abort = new AbortController();
    stop = () => abort.abort();
    let counted = true;
    const free = () => {
      if (counted) waiting -= 1;
      counted = false;
    };
    try {
      if (!gone) await generateFor(start, about, abort.signal, free);
    } catch (error) {
      free();
      await fail(toApiError(error, service.onFault), about);
    } finally {
      free();
    }
  }

  async function generateFor(start: Members, about: Scene, signal: AbortSignal, free: () => void): Promise<void> {
    const exchange = await openStart(conversation, start, about);
    const chat = await checkChat(service, exchange, signal, {
      body: (body) => body,
      decide: (refusal, step) => behaviour.decide(refusal, step, about),
    });
    try {
      for await (const message of behaviour.turn(turnMessages(service, exchange, chat, signal), about)) {
        if (gone) return;
        // Who reads done may start again at once.
        if (isObject(message) && message.type === 'done') {
          await chat.place.release();
          free();
        }
        await send(message);
        // What the client says meanwhile is heard between two messages.
        await nextTurn();
      }
    } finally {
      await chat.place.release();
    }
  }

  /** Does one thing after the other, and reads on when it is done. */
  function inOrder(work: () => Promise<void>): void {
    socket.pause();
    handled = handled
      .then(work)
      .catch((error) => fail(toApiError(error, service.onFault), scene(undefined)))
      .catch(service.onFault)
      .finally(() => socket.resume());
  }

  socket.on('message', (data, binary) => inOrder(() => handle(data, binary)));
  socket.on('ping', (data) => {
    inOrder(() => new Promise((resolve) => socket.pong(data, false, () => resolve())));
  });
  socket.on('close', (code) => {
    gone = true;
    stop();
    over();
    service.watch.socketClosed(opened, code);
  });
  // A message that is no WebSocket closes the socket, which is answer enough.
  socket.on('error', () => {});

  async function sayFarewell(): Promise<void> {
    if (gone || service.phase.refusal === undefined) return;
    await fail(service.phase.refusal, scene(undefined));
    channel.close(1001, 'the server is about to end');
    setTimeout(over, farewellMs).unref();
  }

  return () => {
    turns = turns.then(sayFarewell).catch(service.onFault);
  };
}

/** Counts a start like any request, and checks its limit and its key. @throws ApiError */
async function openStart(conversation: Conversation, start: Members, about: Scene): Promise<Exchange> {
  const { service, behaviour, opened } = conversation;
  const since = performance.now();
  checkPhase(service);
  const { api_key, type: _, ...body } = start;
  const { account, authenticated } = opened.authenticated ? opened : holderOf(service, opened, about, api_key);
  const { taken, allowance, refusal } = await countRequest(service, behaviour.countsFor(account, about));
  const counted = { account, authenticated, requests: taken, allowance, overLimit: refusal };
  const exchange = { ...opened, ...counted, since, body };
  checkLimits(service, exchange);
  const refused = behaviour.decide(refuseSocketKey(exchange, about), 'key', about);
  if (refused) throw refused;
  return exchange;
}

function keyPlaceOf({ behaviour, keyPlace }: Conversation, received: unknown): KeyPlace | undefined {
  if (keyPlace !== undefined) return keyPlace;
  const inStart = isObject(received) && typeof received.api_key === 'string';
  return inStart && behaviour.keyPlaces.includes('start') ? 'start' : undefined;
}

const busy = new ApiError('invalid_request', 'a generation is running: send stop, or wait for done', { param: 'type' });

function unknownType(type: unknown): ApiError {
  return new ApiError('invalid_request', `type must be one of "start", "stop", "ping", not ${show(type)}`, {
    param: 'type',
  });
}

function parse(data: RawData, binary: boolean): Members | ApiError {
  if (binary) return new ApiError('invalid_request', 'messages are text that holds JSON, and this one is binary');
  let message: unknown;
  try {
    message = JSON.parse(String(data));
  } catch {
    return new ApiError('invalid_request', 'the message is not JSON');
  }
  return isObject(message) ? message : new ApiError('invalid_request', 'the message must be a JSON object');
}
