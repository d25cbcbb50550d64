import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { ChatRequest } from '../../specs/wire.ts';
import { checkModel, type Exchange, takePlace } from '../admission.ts';
import { ahead } from '../ahead.ts';
import { answerEvents } from '../answer-events.ts';
import { ApiError } from '../api-error.ts';
import type { Behaviour } from '../behaviour.ts';
import { membersOf } from '../change.ts';
import { type Chat, complete, streamParts } from '../chat-answer.ts';
import { generationOf, messagesOf, refuseBody } from '../chat-request.ts';
import { readImages } from '../images/read-images.ts';
import type { Place } from '../limits/store.ts';
import { watchChat } from '../operation/watch-chat.ts';
import { respond, respondWithStream } from '../respond.ts';
import type { Service } from '../service.ts';
import { offeredTools } from '../tools/definitions.ts';
import { tellWebhooks } from '../webhooks/tell.ts';
import { unknownModel } from './models.ts';

/** Answers a chat request. @throws ApiError or a backend's error, as long as nothing of the answer was sent */
export async function answerChat(service: Service, exchange: Exchange, response: ServerResponse): Promise<void> {
  // The response itself would not tell: one that waits behind another of its connection never closes.
  const { socket } = response.req;
  if (socket.destroyed) return;
  const abort = new AbortController();
  const leave = () => abort.abort();
  socket.once('close', leave);
  try {
    const chat = await checkChat(service, exchange, abort.signal);
    try {
      await sendAnswer(service, exchange, response, chat, abort.signal);
    } finally {
      await chat.place.release();
    }
  } finally {
    socket.off('close', leave);
  }
}

async function sendAnswer(
  service: Service,
  exchange: Exchange,
  response: ServerResponse,
  chat: Chat,
  signal: AbortSignal,
): Promise<void> {
  const events = answerEvents(service, exchange, chat, signal);
  const transport = chat.request.stream === true ? 'sse' : 'json';
  const told = tellWebhooks(service, exchange, chat, watchChat(service, exchange, chat, transport, events));
  if (chat.request.stream !== true) {
    const body = await complete(chat, told.events);
    if (!body) return void response.destroy();
    // Who has the answer may ask again at once.
    await chat.place.release();
    const { body: sent } = await respond(service, exchange, response, { kind: 'completion', body });
    return told.end(membersOf(sent).id || chat.id);
  }
  const parts = streamParts(chat, ahead(told.events), service.onFault);
  const first = await parts.next();
  await respondWithStream(service, exchange, response, resume(first, parts));
  told.end(chat.id);
}

/** The chat that a body asks for, in a place that is the caller's to release. @param seams those of a socket, or of REST */
export async function checkChat(
  service: Service,
  exchange: Exchange,
  signal: AbortSignal,
  seams: Pick<Required<Behaviour>, 'body' | 'decide'> = service.behaviour,
): Promise<Chat> {
  const { backend, behaviour, fetchImage } = service;
  const { model } = backend;
  const pass = (refusal: ApiError | undefined, step: 'body' | 'model' | 'context') => {
    const decision = seams.decide(refusal, step, exchange);
    if (decision) throw decision;
  };
  exchange.body = seams.body(exchange.body, exchange);
  pass(refuseBody(exchange.body, model.vision), 'body');
  const request = exchange.body as ChatRequest;
  pass(request.model === model.id ? undefined : unknownModel(request.model, model), 'model');
  checkModel(service);
  const taken = await takePlace(service, exchange, seams.decide);
  const turn = service.slots.take();
  if (turn instanceof ApiError) {
    service.watch.refused('queue');
    await taken.release();
    throw turn;
  }
  const place: Place = {
    ...taken,
    release() {
      turn.leave();
      return taken.release();
    },
  };
  try {
    const messages = messagesOf(request, await readImages(request.messages, fetchImage, signal));
    const promptTokens = await backend.countPrompt(messages, signal, offeredTools(request));
    const room = model.contextWindow - promptTokens;
    pass(room < 1 ? tooLong(promptTokens, model.contextWindow) : undefined, 'context');
    const generation = behaviour.generation(generationOf(request, messages, room), exchange);
    return { id: `chatcmpl-${randomUUID()}`, request, model: model.id, promptTokens, generation, place, turn };
  } catch (error) {
    await place.release();
    throw error;
  }
}

function tooLong(promptTokens: number, contextWindow: number): ApiError {
  const message = `the prompt has ${promptTokens} tokens or more, and the context window of ${contextWindow} tokens must hold the prompt and at least one token more`;
  return new ApiError('context_length_exceeded', message, { param: 'messages' });
}

/** All of a stream whose first item was taken. */
async function* resume<Item>(first: IteratorResult<Item>, rest: AsyncGenerator<Item>): AsyncGenerator<Item> {
  if (!first.done) yield first.value;
  yield* rest;
}
