import type { ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { checkDemand, checkKey, checkLimits, type Exchange, openExchange } from './admission.ts';
import { ApiError } from './api-error.ts';
import type { Backend } from './backends/backend.ts';
import { type Behaviour, plainBehaviour } from './behaviour.ts';
import { toApiError } from './failure.ts';
import type { FetchImage } from './images/fetch-image.ts';
import type { KeyEntry } from './keys/key-entries.ts';
import { Keyring } from './keys/keyring.ts';
import type { Clock } from './limits/clock.ts';
import { Limiter } from './limits/limiter.ts';
import { type LimitStore, memoryStore } from './limits/store.ts';
import { refuseHead } from './request-head.ts';
import { errorReply, type Reply, respond } from './respond.ts';
import { answerChat } from './routes/chat.ts';
import { getModel, listModels } from './routes/models.ts';
import { nothingAt } from './routes/not-found.ts';
import type { Service } from './service.ts';
import type { ToolRunner } from './tools/tool-runner.ts';
import { answerUnreadable } from './unreadable.ts';
import type { WebhookTarget } from './webhooks/target.ts';
import { Webhooks } from './webhooks/webhooks.ts';
import { acceptSockets, socketPath } from './websocket/upgrade.ts';

export interface ServerOptions {
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Makes the text. Stays the caller's: closing the server does not close it. */
  readonly backend: Backend;
  readonly keys: readonly KeyEntry[];
  /** A fault or a dialect; default none. */
  readonly behaviour?: Behaviour;
  /** Runs calls of its functions inside of a chat; default none: every call is left to the client. */
  readonly tools?: ToolRunner | undefined;
  /** Length of the window of the request limit, whole seconds; default 60. */
  readonly windowSeconds?: number;
  /** Where the limits are counted; default the memory of this server. Stays the caller's. */
  readonly store?: LimitStore;
  /** Whether requests may ask for a failure, by the header X-Stack29-Fault; default no. */
  readonly allowFaults?: boolean;
  /** The system's unless given. */
  readonly clock?: Clock;
  /** Bytes of the largest request body; default 8 MiB. */
  readonly bodyLimit?: number;
  /** Gets images by URL; by default none are fetched. */
  readonly fetchImage?: FetchImage;
  /** Where the events of keys without a webhook of their own are delivered; default nowhere. */
  readonly webhook?: WebhookTarget;
  /** Milliseconds before a delivery that failed is tried again; each later one waits twice as long. Default 500. */
  readonly firstRetryMs?: number;
  /** Told of every error that is the server's own; a client learns no more of it than 500 or 503. */
  readonly onFault?: (error: unknown) => void;
}

export interface RunningServer {
  /** Base URL, with its `/v1`. */
  readonly url: string;
  /** Ends every connection at once and stops listening; what is still to be delivered has two seconds. */
  close(): Promise<void>;
}

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange;
  }
  interface FastifyContextConfig {
    /** Takes no key and counts for no limit. */
    open?: boolean;
  }
}

/** @throws the system's error where the address cannot be listened on */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const {
    host = '127.0.0.1',
    port = 0,
    backend,
    keys,
    behaviour,
    windowSeconds = 60,
    bodyLimit = 8 * 2 ** 20,
    allowFaults = false,
    clock = Date.now,
  } = options;
  const { onFault = () => {}, firstRetryMs = 500 } = options;
  const whole = { ...plainBehaviour, ...behaviour };
  const keyring = new Keyring(keys);
  const limiter = new Limiter(options.store ?? memoryStore(clock, windowSeconds, behaviour?.windows), clock);
  await limiter.seed(keyring.seeds);
  const service: Service = {
    backend,
    keyring,
    limiter,
    clock,
    allowFaults,
    behaviour: whole,
    webhooks: new Webhooks(options.webhook, { behaviour: whole, onFault, firstRetryMs, clock }),
    fetchImage: options.fetchImage,
    tools: options.tools,
    onFault,
  };
  const app = createApp(service, bodyLimit);
  await app.listen({ host, port });
  const address = app.server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const close = async () => {
    await app.close();
    await service.webhooks.close();
  };
  return { url: `http://${name}:${address.port}/v1`, close };
}

function createApp(service: Service, bodyLimit: number): FastifyInstance {
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
      request.exchange = await openExchange(service, request.raw);
      await answerError(error, request, reply);
    },
    clientErrorHandler(error, socket) {
      if (mayAnswer(answering.get(socket))) void answerUnreadable(service, error, socket);
      else socket.destroy();
    },
  });

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

  app.server.on('request', (request, response) => answering.set(request.socket, response));
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.removeContentTypeParser('text/plain');
  app.decorateRequest('exchange');
  app.addHook('onRequest', async (request) => {
    const open = request.routeOptions.config?.open ?? false;
    request.exchange = await openExchange(service, request.raw, open);
    if (!open) checkLimits(service, request.exchange);
    const refusal = refuseHead(request.raw);
    if (refusal) throw refusal;
    if (open) return;
    if (request.is404) throw nothingAt(request.method, request.url);
    checkKey(service, request.exchange);
    checkDemand(service, request.exchange);
  });
  app.setErrorHandler(answerError);

  app.get(
    '/health',
    { config: { open: true } },
    json(() => ({ kind: 'health', body: { status: 'ok' } })),
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
  const closeSockets = acceptSockets(service, app.server, bodyLimit);
  app.addHook('preClose', async () => closeSockets());
  return app;
}

/** Whether an answer to what could not be read would come in its turn, given the last response of the connection. */
function mayAnswer(last: ServerResponse | undefined): boolean {
  if (last === undefined || last.writableFinished) return true;
  // It is the body of the last request that could not be read, and no other response comes before its answer.
  return !last.req.complete && !last.headersSent && last.socket !== null;
}
