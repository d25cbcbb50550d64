import type { Exchange } from '../admission.ts';
import type { ApiError } from '../api-error.ts';
import type { Step } from '../behaviour.ts';
import type { Account } from '../keys/keyring.ts';
import type { Channel } from './channel.ts';

/** Where a client can give its key. */
export type KeyPlace = 'header' | 'query' | 'start';

/** The checks that the request for a socket (`upgrade`, `key`) and a start (`key`, `body`, `model`, `tokens`, `place`, `context`) pass. */
export type SocketStep = 'upgrade' | Step;

/** What is known where the server decides or sends. */
export interface Scene {
  /** The request that opened the socket. */
  readonly exchange: Exchange;
  /** The client's message that this is about; `undefined` for the request itself, and for what is not JSON. */
  readonly received: unknown;
  /** Where a key was given, whether it is valid or not. */
  readonly keyPlace: KeyPlace | undefined;
  /** Whether a generation is under way. */
  readonly running: boolean;
}

/** A message of the server before it becomes text: a value that becomes JSON, or text that is sent as it stands. */
export type Outbound = Readonly<Record<string, unknown>> | readonly unknown[] | string;

/** What a server does differently on its sockets; see {@link Behaviour}. */
export interface SocketBehaviour {
  /** The places in which a key is looked for. Without `start` among them a socket needs its key to be opened. */
  readonly keyPlaces?: readonly KeyPlace[];
  /** What becomes of a start while a generation runs. */
  readonly secondStart?: 'refuse' | 'queue';
  /** Whether the request for a socket counts for the limit on requests, beside the starts on it. */
  readonly countsUpgrade?: boolean;
  /** Whom a start counts for as a request. */
  countsFor?(account: Account, scene: Scene): Account;
  /** The outcome of a check: an error refuses, `undefined` lets pass. */
  decide?(refusal: ApiError | undefined, step: SocketStep, scene: Scene): ApiError | undefined;
  /** The headers of the 101. */
  head?(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>>;
  /** A message of the client, once it is parsed; `undefined` ignores it. */
  receive?(message: Readonly<Record<string, unknown>>, scene: Scene): Readonly<Record<string, unknown>> | undefined;
  /** The messages of one generation. */
  turn?(messages: AsyncIterable<Outbound>, scene: Scene): AsyncIterable<Outbound>;
  /** What is sent in the place of a pong or an error. */
  reply?(message: Outbound, scene: Scene): readonly Outbound[];
  /** The way onto the socket. */
  transmit?(channel: Channel, text: string): Promise<void>;
}

export const plainSocket: Required<SocketBehaviour> = {
  keyPlaces: ['header', 'query', 'start'],
  secondStart: 'refuse',
  countsUpgrade: true,
  countsFor: (account) => account,
  decide: (refusal) => refusal,
  head: (headers) => headers,
  receive: (message) => message,
  turn: (messages) => messages,
  reply: (message) => [message],
  transmit: (channel, text) => channel.text(text),
};
