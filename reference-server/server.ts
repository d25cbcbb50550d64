import type { AddressInfo } from 'node:net';
import { Activity } from './activity.ts';
import { createApp } from './app.ts';
import { type Backend, BackendUnavailable } from './backends/backend.ts';
import { type Behaviour, plainBehaviour } from './behaviour.ts';
import type { FetchImage } from './images/fetch-image.ts';
import type { KeyEntry } from './keys/key-entries.ts';
import { Keyring } from './keys/keyring.ts';
import type { Clock } from './limits/clock.ts';
import { Limiter } from './limits/limiter.ts';
import { type LimitStore, memoryStore } from './limits/store.ts';
import { tellAll, type Watcher } from './operation/watcher.ts';
import { Phase } from './phase.ts';
import type { Service } from './service.ts';
import { Slots } from './slots.ts';
import type { ToolRunner } from './tools/tool-runner.ts';
import type { WebhookTarget } from './webhooks/target.ts';
import { Webhooks } from './webhooks/webhooks.ts';

export interface ServerOptions {
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /**
   * Makes the text; while it is loaded every request is refused with 503. Stays the caller's: closing the server does not
   * close it.
   */
  readonly backend: Backend | Promise<Backend>;
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
  /** Generations at the same time, of all accounts together; default without bound. */
  readonly slots?: number;
  /** Chats that may wait for a slot; more are refused with 503. Default without bound. */
  readonly queueSize?: number;
  /** A client whose connection takes nothing more of its answer for so long is cut; default 60,000. */
  readonly sendTimeoutMs?: number;
  /** Told of what happens, for metrics and logs. */
  readonly watchers?: readonly Watcher[];
  /** Told of every error that is the server's own; a client learns no more of it than 500 or 503. */
  readonly onFault?: (error: unknown) => void;
}

/** Read anew by each access. */
export interface ServerState {
  readonly phase: Phase['name'];
  /** Whether chats are answered: not while the model or the counts of the limits are away, nor at the end. */
  readonly ready: boolean;
  readonly slots: Pick<Slots, 'total' | 'busy' | 'queued'>;
  /** How often the process of the model was started again after a crash. */
  readonly restarts: number;
  /** Requests that are not answered whole, and open WebSockets. */
  readonly underWay: number;
  /** Open WebSockets. */
  readonly sockets: number;
  /** Deliveries to webhooks that wait or are under way. */
  readonly deliveries: number;
}

export interface RunningServer {
  /** Base URL, with its `/v1`. */
  readonly url: string;
  /** Resolves when requests are answered, and rejects as the loading of the backend does. */
  readonly ready: Promise<void>;
  /** What the server is doing now. */
  readonly state: ServerState;
  /**
   * Takes no more connections and refuses new requests with 503, while what is under way comes to its end: answers,
   * streams, and generations on sockets, which are closed with 1001 after that.
   * @returns how many requests and sockets were not at their end when the signal was aborted; they go on until `close`
   */
  drain(signal: AbortSignal): Promise<number>;
  /** Ends every connection at once and stops listening; what is still to be delivered has two seconds. */
  close(): Promise<void>;
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
  const { onFault = () => {}, firstRetryMs = 500, slots: total = Number.POSITIVE_INFINITY } = options;
  const whole = { ...plainBehaviour, ...behaviour };
  const keyring = new Keyring(keys);
  const store = options.store ?? memoryStore(clock, windowSeconds, behaviour?.windows);
  const limiter = new Limiter(store, clock);
  await limiter.seed(keyring.seeds);
  const watch = tellAll(options.watchers ?? []);
  const phase = new Phase();
  let loaded: Backend | undefined;
  const serve = (ready: Backend) => {
    loaded = ready;
    phase.serve();
  };
  const service: Service = {
    get backend() {
      if (loaded === undefined) throw new BackendUnavailable('the model is being loaded');
      return loaded;
    },
    phase,
    activity: new Activity(),
    slots: new Slots(total, options.queueSize ?? Number.POSITIVE_INFINITY),
    watch,
    keyring,
    limiter,
    clock,
    allowFaults,
    behaviour: whole,
    webhooks: new Webhooks(options.webhook, {
      behaviour: whole,
      onFault,
      firstRetryMs,
      clock,
      onDelivery: watch.delivery,
    }),
    fetchImage: options.fetchImage,
    tools: options.tools,
    sendTimeoutMs: options.sendTimeoutMs ?? 60_000,
    onFault,
  };
  if (!(backend instanceof Promise)) serve(backend);
  const ready = Promise.resolve(backend).then(serve);
  // Who does not wait for it is no reason to end the process.
  ready.catch(() => {});
  const { app, sockets, connections } = createApp(service, bodyLimit);
  await app.listen({ host, port });
  const address = app.server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}/v1`,
    ready,
    state: {
      get phase() {
        return phase.name;
      },
      get ready() {
        return phase.name === 'serving' && service.backend.backInMs === undefined && store.available !== false;
      },
      slots: service.slots,
      get restarts() {
        return loaded?.restarts ?? 0;
      },
      get underWay() {
        return service.activity.size;
      },
      get sockets() {
        return sockets.open;
      },
      get deliveries() {
        return service.webhooks.waiting;
      },
    },
    async drain(signal) {
      phase.drain();
      connections.drain();
      sockets.drain();
      const late = new Promise((resolve) => {
        if (signal.aborted) resolve(undefined);
        signal.addEventListener('abort', resolve, { once: true });
      });
      await Promise.race([service.activity.over(), late]);
      return service.activity.size;
    },
    async close() {
      await app.close();
      await service.webhooks.close();
    },
  };
}
