import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Exchange } from '../admission.ts';
import type { ServerState } from '../server.ts';
import { type Chat, deliveryOutcomes, refusalReasons, type Watcher } from './watcher.ts';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Seconds. */
const spans = {
  request: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
  firstToken: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60],
  token: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1],
};

export interface Metrics {
  readonly watcher: Watcher;
  /** Whose queue, slots and sockets are read when metrics are. */
  observe(state: ServerState): void;
  /** The text exposition of Prometheus, and its media type. */
  read(): Promise<{ readonly text: string; readonly mediaType: string }>;
}

/**
 * What Prometheus reads of one server. Labels have few values, none of which is a client's choice.
 * @param version of this program
 */
export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  let state: ServerState | undefined;

  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `stack29_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[], label: string) =>
    new Histogram({ name: `stack29_${name}`, help, buckets, labelNames: [label], registers });
  const gauge = (name: string, help: string, figure: (state: ServerState) => number) =>
    new Gauge({
      name: `stack29_${name}`,
      help,
      registers,
      collect() {
        this.set(state ? figure(state) : 0);
      },
    });

  collectDefaultMetrics({ register: registry });
  new Gauge({ name: 'stack29_build_info', help: 'The version that runs.', labelNames: ['version'], registers }).set(
    { version },
    1,
  );
  const requests = counter('http_requests_total', 'Requests that are over.', 'route', 'method', 'status');
  const requestTime = histogram('http_request_duration_seconds', 'From a request to its end.', spans.request, 'route');
  const refusals = counter(
    'refusals_total',
    'Requests and chats that a limit or the state of the server refused.',
    'reason',
  );
  const readersCut = counter('readers_cut_total', 'Connections that were ended since their clients took nothing.');
  const chats = counter('chats_total', 'Chats whose answer began and is over.', 'transport', 'outcome');
  const tokens = counter('tokens_total', 'Tokens of those chats.', 'type');
  const firstToken = histogram(
    'time_to_first_token_seconds',
    'From a request, or a start on a socket, to the first piece of its answer.',
    spans.firstToken,
    'transport',
  );
  const perToken = histogram(
    'time_per_output_token_seconds',
    'Of each answer, the mean time of the tokens after the first.',
    spans.token,
    'transport',
  );
  const chatTime = histogram(
    'chat_duration_seconds',
    'From a request or a start to the end.',
    spans.request,
    'transport',
  );
  const deliveries = counter('webhook_deliveries_total', 'Deliveries to webhooks that are over.', 'outcome');
  const socketErrors = counter('websocket_errors_total', 'Error messages on WebSockets.', 'code');
  gauge(
    'ready',
    '1 where chats are answered; 0 while the model or the store of the limits is away, and before the end.',
    (now) => (now.ready ? 1 : 0),
  );
  new Counter({
    name: 'stack29_model_restarts_total',
    help: 'Starts of the process of the model after a crash, those that failed too.',
    registers,
    collect() {
      this.reset();
      this.inc(state?.restarts ?? 0);
    },
  });
  gauge('slots', 'Generations that may run at the same time.', ({ slots }) => slots.total);
  gauge('slots_busy', 'Generations that run.', ({ slots }) => slots.busy);
  gauge('queue_length', 'Chats that were taken and do not generate yet.', ({ slots }) => slots.queued);
  gauge('websocket_connections', 'Open WebSockets.', ({ sockets }) => sockets);
  gauge('webhook_queue_length', 'Deliveries to webhooks that wait or are under way.', (now) => now.deliveries);

  // A series that is not there before its first event hides that event from rate().
  for (const reason of refusalReasons) refusals.inc({ reason }, 0);
  for (const outcome of deliveryOutcomes) deliveries.inc({ outcome }, 0);
  for (const type of ['prompt', 'completion']) tokens.inc({ type }, 0);

  const secondsSince = ({ since }: Exchange, end = performance.now()) => (end - since) / 1000;
  return {
    watcher: {
      requestEnded(exchange, status) {
        const { route } = exchange;
        const method = methods.includes(exchange.method) ? exchange.method : 'other';
        requests.inc({ route, method, status: status ?? 'none' });
        requestTime.observe({ route }, secondsSince(exchange));
      },
      readerCut: () => readersCut.inc(),
      refused: (reason) => refusals.inc({ reason }),
      chatEnded(exchange, chat) {
        const { transport, outcome, firstTokenAt, endedAt } = chat;
        chats.inc({ transport, outcome });
        tokens.inc({ type: 'prompt' }, chat.promptTokens);
        tokens.inc({ type: 'completion' }, chat.completionTokens);
        chatTime.observe({ transport }, secondsSince(exchange, endedAt));
        if (firstTokenAt !== undefined) firstToken.observe({ transport }, secondsSince(exchange, firstTokenAt));
        const each = secondsPerToken(chat);
        if (each !== undefined) perToken.observe({ transport }, each);
      },
      socketError: (_, code) => socketErrors.inc({ code }),
      delivery: (outcome) => deliveries.inc({ outcome }),
    },
    observe(observed) {
      state = observed;
    },
    async read() {
      return { text: await registry.metrics(), mediaType: registry.contentType };
    },
  };
}

function secondsPerToken({ firstTokenAt, endedAt, completionTokens }: Chat): number | undefined {
  if (firstTokenAt === undefined || endedAt === undefined || completionTokens < 2) return undefined;
  return (endedAt - firstTokenAt) / 1000 / (completionTokens - 1);
}
