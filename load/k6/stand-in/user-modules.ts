import { WebSocket as Socket } from 'ws';
import type { MetricType, Sample, ScenarioState, WireRequest, WireResponse } from './protocol.ts';
import type { UserWire } from './user-wire.ts';

/** What the modules of k6 need of their user. */
export interface ModuleHost {
  readonly wire: UserWire;
  readonly extensions: readonly string[];
  /** What SharedArray holds, each element as JSON; the first user fills it. */
  readonly arrays: Record<string, readonly string[]>;
  /** Whether the script is past its loading, the only time for some things, and none for others. */
  isLoaded(): boolean;
  /** The scenario under way; absent while the script is loaded, set up or summed up. */
  scenario(): ScenarioState | undefined;
  define(metric: string, type: MetricType): void;
  emit(sample: Sample): void;
  /** Something that the iteration waits for has begun; call what it returns when it has ended. */
  hold(): () => void;
}

type Tags = Readonly<Record<string, string>>;

interface Params {
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeout?: string;
  readonly tags?: Tags;
  readonly method?: string;
  readonly body?: string;
}

type Exports = Readonly<Record<string, unknown>>;

/** The modules of k6 that the scripts use, and of those what they use. */
export function modulesFor(host: ModuleHost): Readonly<Record<string, Exports>> {
  return {
    k6: {
      sleep: (seconds: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000),
    },
    'k6/data': dataModule(host),
    'k6/http': httpModule(host),
    'k6/metrics': metricsModule(host),
    'k6/execution': {
      default: {
        get scenario() {
          return inScenario(host);
        },
      },
    },
    'k6/timers': timersModule(host),
    'k6/websockets': { WebSocket: webSocketFor(host) },
    'k6/ws': {
      default: {
        connect: (url: string, params: Params, begin: (socket: object) => void) => {
          const response = host.wire.block(requestOf('upgrade', 'GET', url, undefined, params));
          if (response.status === 101) begin({ close: () => {} });
          return { status: response.status, error: response.error };
        },
      },
    },
  };
}

/** The extensions that the run has. */
export function extensionsFor(host: ModuleHost): Readonly<Record<string, object>> {
  const known: Readonly<Record<string, object>> = { 'k6/x/sse': sseExtension(host) };
  return Object.fromEntries(Object.entries(known).filter(([name]) => host.extensions.includes(name)));
}

function inScenario(host: ModuleHost): ScenarioState {
  const scenario = host.scenario();
  if (!scenario) throw new Error('getting scenario information outside of the VU context is not supported');
  return scenario;
}

/** Of SharedArray what k6 documents: its length, an element, and for-of. */
function dataModule({ arrays, isLoaded }: ModuleHost): Exports {
  return {
    SharedArray: class {
      constructor(name: string, fill: () => unknown) {
        if (isLoaded()) throw new Error('a SharedArray can only be made while a script is loaded');
        if (!name) throw new Error('a SharedArray needs a name');
        if (!arrays[name]) {
          const filled = fill();
          if (!Array.isArray(filled)) throw new Error('a SharedArray is filled by a function that gives an array');
          arrays[name] = filled.map((element) => JSON.stringify(element));
        }
        const texts = arrays[name];
        const element = (index: number) => (texts[index] === undefined ? undefined : JSON.parse(texts[index]));
        const only = {
          length: texts.length,
          *[Symbol.iterator]() {
            for (const text of texts) yield JSON.parse(text);
          },
        };
        // biome-ignore lint/correctness/noConstructorReturn: an element is looked up by any index.
        return new Proxy(only, {
          get: (_, key) => {
            if (Object.hasOwn(only, key)) return Reflect.get(only, key);
            if (typeof key === 'string' && /^\d+$/.test(key)) return element(Number(key));
            throw new Error(`a SharedArray has no ${String(key)}`);
          },
        });
      }
    },
  };
}

function metricsModule({ define, emit, isLoaded, scenario }: ModuleHost): Exports {
  const classOf = (type: MetricType) =>
    class {
      readonly name: string;
      constructor(name: string) {
        if (isLoaded()) throw new Error('metrics can only be made while a script is loaded');
        if (!/^[a-zA-Z_][a-zA-Z0-9_]{1,127}$/.test(name)) throw new Error(`invalid metric name: ${name}`);
        this.name = name;
        define(name, type);
      }
      add(value: number | boolean, tags: Tags = {}): void {
        if (!scenario()) throw new Error('metrics can only be added to in the VU context');
        const number = Number(value);
        if (!Number.isFinite(number)) throw new Error(`${this.name} was given ${value}`);
        emit({ metric: this.name, value: number, tags: { ...tagsOf(scenario()), ...tags }, time: Date.now() });
      }
    };
  return { Counter: classOf('counter'), Gauge: classOf('gauge'), Rate: classOf('rate'), Trend: classOf('trend') };
}

function tagsOf(scenario: ScenarioState | undefined): Tags {
  return scenario ? { scenario: scenario.name } : {};
}

function requestOf(
  kind: WireRequest['kind'],
  method: string,
  url: string,
  body: string | null | undefined,
  { headers = {}, timeout = '60s' }: Params = {},
): WireRequest {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(timeout) ?? [];
  if (amount === undefined) throw new Error(`invalid timeout ${timeout}`);
  const timeoutMs = Number(amount) * (unit === 'ms' ? 1 : unit === 's' ? 1000 : 60_000);
  return { kind, method, url, body: body ?? undefined, headers, timeoutMs };
}

function httpModule(host: ModuleHost): Exports {
  let expected: readonly number[] | undefined;
  const finish = (response: WireResponse, method: string, url: string, tags: Tags = {}) => {
    const { status, headers, body, error, errorCode, waiting, receiving } = response;
    const isExpected = expected ? expected.includes(status) : status >= 200 && status < 400;
    const all = {
      ...tagsOf(host.scenario()),
      method,
      url,
      name: url,
      status: String(status),
      expected_response: String(isExpected),
      ...(errorCode !== 0 && { error, error_code: String(errorCode) }),
      ...tags,
    };
    const values = {
      http_reqs: 1,
      http_req_duration: waiting + receiving,
      http_req_waiting: waiting,
      http_req_receiving: receiving,
      http_req_failed: isExpected ? 0 : 1,
    };
    for (const [metric, value] of Object.entries(values)) host.emit({ metric, value, tags: all, time: Date.now() });
    // A body that never came is null.
    return { status, headers, body: status === 0 ? null : body, error, error_code: errorCode };
  };
  const block = (method: string, url: string, body: string | undefined, params?: Params) => {
    if (!host.isLoaded()) throw new Error('no request can be made while a script is loaded');
    return finish(host.wire.block(requestOf('http', method, url, body, params)), method, url, params?.tags);
  };
  const http = {
    get: (url: string, params?: Params) => block('GET', url, undefined, params),
    post: (url: string, body?: string, params?: Params) => block('POST', url, body, params),
    async asyncRequest(method: string, url: string, body: string | null, params?: Params) {
      const release = host.hold();
      try {
        return finish(await host.wire.send(requestOf('http', method, url, body, params)), method, url, params?.tags);
      } finally {
        release();
      }
    },
    expectedStatuses: (...statuses: readonly number[]) => statuses,
    setResponseCallback(statuses: readonly number[]) {
      expected = statuses;
    },
  };
  return { default: http };
}

function timersModule({ hold }: ModuleHost): Exports {
  const pending = new Map<number, () => void>();
  let count = 0;
  return {
    setTimeout(callback: () => void, ms: number): number {
      count += 1;
      const id = count;
      const release = hold();
      const end = () => {
        clearTimeout(timer);
        pending.delete(id);
        release();
      };
      const timer = setTimeout(() => {
        callback();
        end();
      }, ms);
      pending.set(id, end);
      return id;
    },
    clearTimeout(id: number): void {
      pending.get(id)?.();
    },
  };
}

/** Of the WebSocket of k6, the events that the scripts listen to, with a time in each message. */
function webSocketFor({ emit, hold, scenario }: ModuleHost) {
  return class {
    onopen: () => void = () => {};
    onmessage: (event: object) => void = () => {};
    onerror: (event: object) => void = () => {};
    onclose: () => void = () => {};
    readonly #socket: Socket;

    constructor(url: string, _protocols: null, { headers = {}, tags = {} }: Params = {}) {
      const release = hold();
      emit({ metric: 'ws_sessions', value: 1, tags: { ...tagsOf(scenario()), url, ...tags }, time: Date.now() });
      const now = () => performance.timeOrigin + performance.now();
      this.#socket = new Socket(url, { headers, handshakeTimeout: 60_000 });
      this.#socket.on('open', () => this.onopen());
      this.#socket.on('message', (data) => this.onmessage({ type: 'message', data: String(data), timestamp: now() }));
      this.#socket.on('unexpected-response', (request) => {
        request.destroy();
        this.onerror({ type: 'error', error: 'websocket: bad handshake', timestamp: now() });
        release();
      });
      this.#socket.on('error', ({ message }) => this.onerror({ type: 'error', error: message, timestamp: now() }));
      this.#socket.on('close', () => {
        this.onclose();
        release();
      });
    }

    send(text: string): void {
      this.#socket.send(text);
    }

    close(): void {
      if (this.#socket.readyState === Socket.CONNECTING) throw new Error('k6 would wait here for good');
      this.#socket.close();
    }
  };
}

function sseExtension({ wire }: ModuleHost): object {
  return {
    open(url: string, params: Params, begin: (client: object) => void) {
      const listeners: ((event: object) => void)[] = [];
      begin({
        on(name: string, listener: (event: object) => void) {
          if (name === 'event') listeners.push(listener);
        },
        close: () => {},
      });
      const request = requestOf('sse', params.method ?? 'GET', url, params.body, { ...params, timeout: '1440m' });
      const { status, error, headers } = wire.block(request, (data) => {
        for (const listener of listeners) listener({ id: '', name: '', comment: '', data });
      });
      return { url, status, headers, error };
    },
  };
}
