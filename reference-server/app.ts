import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import {
  checkDemand,
  checkKey,
  checkLimits,
  checkModel,
  checkPhase,
  type Exchange,
  noRoute,
  openExchange,
} from './admission.ts';
import { ApiError } from './api-error.ts';
import { Connections } from './connections.ts';
import { toApiError } from './failure.ts';
import { refuseHead } from './request-head.ts';
import { errorReply, type Reply, respond } from './respond.ts';
import { answerChat } from './routes/chat.ts';
import { getModel, listModels } from './routes/models.ts';
import { nothingAt } from './routes/not-found.ts';
import type { Service } from './service.ts';
import { answerUnreadable } from './unreadable.ts';
import { acceptSockets, type Sockets, socketPath } from './websocket/upgrade.ts';

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange;
  }
  interface FastifyContextConfig {
    /** Takes no key and counts for no limit. */
    open?: boolean;
  }
}

/** A server that listens nowhere yet. */
export interface App {
  readonly app: FastifyInstance;
  readonly sockets: Sockets;
  readonly connections: Connections;
}

/** Puts the endpoints together, and what every request passes on its way to them. @param bodyLimit in bytes */
export function createApp(service: Service, bodyLimit: number): App {
  const answering = new WeakMap<Socket, ServerResponse>();
  const app = Fastify({
    bodyLimit,
    // Node's own answer to a request without a host would have neither envelope nor limits.
    http: { requireHostHeader: false },
    // Members that the schema does not know are ignored, these too.
    onProtoPoisoning: 'remove',
    onConstructorPoisoning: 'remove',
    forceCloseConnections: true,
    return503OnClosing: false,
    async frameworkErrors(error, request, reply) {
      await open(request, reply, noRoute);
      await answerError(error, request, reply);
    },
    clientErrorHandler(error, socket) {
      if (mayAnswer(answering.get(socket))) void answerUnreadable(service, error, socket);
      else socket.destroy();
    },
  });

  async function open(request: FastifyRequest, { raw }: FastifyReply, route: string, free = false): Promise<void> {
    let isOver = false;
    const tellEnd = (isWhole: boolean) => {
      const { exchange } = request;
      service.watch.requestEnded(exchange, raw.headersSent ? raw.statusCode : undefined, isWhole);
    };
    connections.answer(raw, {
      ended(isWhole) {
        isOver = true;
        if (request.exchange) tellEnd(isWhole);
      },
      stalled: () => service.watch.readerCut(request.exchange),
    });
    request.exchange = await openExchange(service, request.raw, route, free);
    // Its client may have left before anybody was told of its beginning.
    if (isOver) tellEnd(false);
  }

  /** Runs a handler that sends the response itself. */
  const direct =
    (handle: (request: FastifyRequest, response: ServerResponse) => Promise<void>) =>
    async (request: FastifyRequest, reply: FastifyReply) => {
      await handle(request, reply.raw);
      reply.hijack();
    };
  const json = (replyTo: (request: FastifyRequest) => Reply) =>
    direct(async (request, response) => {
      await respond(service, request.exchange, response, replyTo(request));
    });

  async function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    reply.hijack();
    if (reply.raw.headersSent) reply.raw.destroy();
    else await respond(service, request.exchange, reply.raw, errorReply(toApiError(error, service.onFault)));
  }

  const connections = new Connections(app.server, service);
  app.server.on('request', (request, response) => answering.set(request.socket, response));
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.removeContentTypeParser('text/plain');
  app.decorateRequest('exchange');
  app.addHook('onRequest', async (request, reply) => {
    const { config, url = noRoute } = request.routeOptions;
    const free = config?.open ?? false;
    await open(request, reply, url.replace('*', '{id}'), free);
    checkLimits(service, request.exchange);
    checkPhase(service);
    const refusal = refuseHead(request.raw);
    if (refusal) throw refusal;
    if (free) return;
    if (request.is404) throw nothingAt(request.method, request.url);
    checkKey(service, request.exchange);
    checkDemand(service, request.exchange);
  });
  app.setErrorHandler(answerError);

  app.get(
    '/health',
    { config: { open: true } },
    json(() => {
      checkModel(service);
      return { kind: 'health', body: { status: 'ok' } };
    }),
  );
  app.get(
    '/v1/models',
    json(() => listModels(service.backend.model)),
  );
  app.get(
    '/v1/models/*',
    json(({ params }) => getModel(service.backend.model, (params as { '*': string })['*'])),
  );
  app.post(
    '/v1/chat/completions',
    direct(async (request, response) => {
      request.exchange.body = request.body;
      await answerChat(service, request.exchange, response);
    }),
  );
  app.get(socketPath, async () => {
    throw new ApiError('invalid_request', `${socketPath} is a WebSocket: ask for it with "Upgrade: websocket"`, {
      status: 426,
      headers: { Upgrade: 'websocket' },
    });
  });
  const sockets = acceptSockets(service, app.server, bodyLimit);
  app.addHook('preClose', async () => sockets.close());
  return { app, sockets, connections };
}

/** Whether an answer to what could not be read would come in its turn, given the last response of the connection. */
function mayAnswer(last: ServerResponse | undefined): boolean {
  if (last === undefined || last.writableFinished) return true;
  // It is the body of the last request that could not be read, and no other response comes before its answer.
  return !last.req.complete && !last.headersSent && last.socket !== null;
}
