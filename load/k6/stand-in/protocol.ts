import type { MessagePort } from 'node:worker_threads';

export type MetricType = 'counter' | 'gauge' | 'rate' | 'trend';

export interface Sample {
  readonly metric: string;
  readonly value: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly time: number;
}

/** What a user is given when it is started. */
export interface UserData {
  /** 0 is k6's own: it reads the options, sets up and sums up. */
  readonly id: number;
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** Arrays that the users share, each element as JSON. */
  readonly shared: SharedArrays;
  /** Names of modules under `k6/x/` that are there. */
  readonly extensions: readonly string[];
  /** To the thread that does the waiting for those who block. */
  readonly blocking: MessagePort;
  readonly asynchronous: MessagePort;
}

export type SharedArrays = Readonly<Record<string, readonly string[]>>;

export interface ScenarioState {
  readonly name: string;
  readonly executor: string;
  readonly startTime: number;
  readonly iterationInTest: number;
}

export type Order =
  | { readonly type: 'call'; readonly name: string; readonly argument: string | undefined }
  | {
      readonly type: 'iterate';
      readonly exec: string;
      readonly data: string | undefined;
      readonly scenario: ScenarioState;
    };

export type Report =
  | {
      readonly type: 'ready';
      /** JSON. */
      readonly options: string;
      readonly functions: readonly string[];
      readonly metrics: Readonly<Record<string, MetricType>>;
      readonly shared: SharedArrays;
    }
  | { readonly type: 'sample'; readonly sample: Sample }
  | { readonly type: 'line'; readonly text: string }
  /** An order was carried out; the result as JSON. */
  | { readonly type: 'done'; readonly result: string | undefined }
  | { readonly type: 'failed'; readonly error: string };

export interface WireRequest {
  readonly kind: 'http' | 'sse' | 'upgrade';
  readonly method: string;
  readonly url: string;
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface WireResponse {
  readonly type: 'response';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly error: string;
  /** k6's number of the error, 0 for none. */
  readonly errorCode: number;
  /** Milliseconds. */
  readonly waiting: number;
  readonly receiving: number;
}

export type WireMessage = WireResponse | { readonly type: 'event'; readonly data: string };
