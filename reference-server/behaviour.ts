import type { ServerResponse } from 'node:http';
import type { WebhookPayload } from '../specs/wire.ts';
import type { Exchange } from './admission.ts';
import type { ApiError } from './api-error.ts';
import type { Generation, GenerationEvent } from './backends/backend.ts';
import type { Place } from './limits/store.ts';
import type { WindowShape } from './limits/windows.ts';
import { type Outgoing, sendOutgoing } from './outgoing.ts';
import type { OutgoingDelivery } from './webhooks/courier.ts';
import type { SocketBehaviour } from './websocket/socket-behaviour.ts';

export type AnswerKind = 'completion' | 'stream' | 'models' | 'model' | 'health' | 'error';

/** A response before it becomes bytes. */
export interface Answer {
  readonly kind: AnswerKind;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** What becomes the JSON body; absent for a stream. */
  readonly body?: unknown;
}

/** The data of one event: a value that becomes JSON, or text that is sent as it stands. */
export type StreamPart = Readonly<Record<string, unknown>> | string;

/** The checks that a request passes, in this order. */
export type Step = 'limits' | 'key' | 'demand' | 'body' | 'model' | 'tokens' | 'place' | 'context';

/**
 * What a server does differently, at the named seams of the server; each gets what the plain server would do and gives
 * back what is done. A behaviour keeps no state, so that one value serves any number of servers.
 */
export interface Behaviour {
  /** The parsed body of a chat request, before it is validated. */
  body?(body: unknown, exchange: Exchange): unknown;
  /** The outcome of a check: an error refuses the request, `undefined` lets it pass. */
  decide?(refusal: ApiError | undefined, step: Step, exchange: Exchange): ApiError | undefined;
  /** How requests are counted; `fixed` unless given. */
  readonly windows?: WindowShape;
  /** Whether a chat waits for a place where all are taken; not unless given. */
  readonly queue?: boolean;
  /** The place that a chat holds. */
  place?(place: Place, exchange: Exchange): Place;
  /** What the backend is asked for. */
  generation?(generation: Generation, exchange: Exchange): Generation;
  /** What the backend gives. */
  output?(events: AsyncIterable<GenerationEvent>, exchange: Exchange): AsyncIterable<GenerationEvent>;
  /** Status, headers and JSON body of any response; status and headers of a stream. */
  answer?(answer: Answer, exchange: Exchange): Answer;
  /** The events of a stream. */
  parts?(parts: AsyncIterable<StreamPart>, exchange: Exchange): AsyncIterable<StreamPart>;
  /** The bytes of one event. */
  frame?(data: string): string;
  /** What webhooks are told of one event: nothing, or once, or several times. */
  tell?(payload: WebhookPayload, exchange: Exchange): readonly WebhookPayload[];
  /** One delivery on its way to a webhook. */
  deliver?(delivery: OutgoingDelivery): OutgoingDelivery;
  /** The way onto the socket. */
  send?(response: ServerResponse, outgoing: Outgoing, answer: Answer, exchange: Exchange): Promise<void>;
  /** What is different on WebSockets. */
  readonly socket?: SocketBehaviour;
}

export const plainBehaviour: Required<Behaviour> = {
  windows: 'fixed',
  queue: false,
  body: (body) => body,
  decide: (refusal) => refusal,
  place: (place) => place,
  generation: (generation) => generation,
  output: (events) => events,
  answer: (answer) => answer,
  parts: (parts) => parts,
  frame: (data) => `data: ${data}\n\n`,
  tell: (payload) => [payload],
  deliver: (delivery) => delivery,
  send: sendOutgoing,
  socket: {},
};
