/* Written by `npm run generate` from schemas/*.json. Change those, not this file. */

export type AnyBody =
  | Capabilities
  | ChatChunk
  | ChatCompletion
  | ChatRequest
  | ContentPart
  | ErrorBody
  | FinishReason
  | LoadArrival
  | LoadProfile
  | LoadResult
  | LoadWorkload
  | Message
  | Model
  | ModelsList
  | RateLimitHeaders
  | ToolCall
  | ToolDefinition
  | UnixTime
  | Usage
  | Version
  | WsContent
  | WsDone
  | WsError
  | WsPing
  | WsPong
  | WsStart
  | WsStop
  | WsToolCall
  | WsToolResult
  | WebhookPayload;
/**
 * The data of one event of a streamed answer.
 */
export type ChatChunk = Version & {
  /**
   * Names the completion; the same in all of its chunks.
   */
  id: string;
  object: 'chat.completion.chunk';
  created: UnixTime;
  /**
   * The model that answers.
   */
  model: string;
  /**
   * What the answer grows by; only a chunk with usage may have nothing here.
   *
   * @maxItems 1
   */
  choices: {
    index: 0;
    delta: {
      role?: 'assistant';
      /**
       * Text that follows on that of the chunks before.
       */
      content?: string | null;
      /**
       * Calls, each of which may come in pieces that share an index.
       */
      tool_calls?: {
        index: number;
        id?: string;
        type?: 'function';
        function?: {
          name?: string;
          arguments?: string;
        };
      }[];
    };
    /**
     * Set in the last chunk that has a choice.
     */
    finish_reason?: FinishReason | null;
  }[];
  /**
   * The tokens of the whole completion, in its last chunk, where it was asked for.
   */
  usage?: Usage | null;
  /**
   * Names the state of the server that answers.
   */
  system_fingerprint?: string | null;
};
/**
 * A moment in whole Unix seconds. The bound tells seconds from milliseconds.
 */
export type UnixTime = number;
/**
 * Why a generation ended.
 */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call';
/**
 * The whole answer to a chat request.
 */
export type ChatCompletion = Version & {
  /**
   * Names this completion.
   */
  id: string;
  object: 'chat.completion';
  created: UnixTime;
  /**
   * The model that answered.
   */
  model: string;
  /**
   * The answer; there is always one.
   *
   * @minItems 1
   * @maxItems 1
   */
  choices: {
    index: 0;
    message: {
      role: 'assistant';
      /**
       * Null only beside tool calls.
       */
      content: string | null;
      tool_calls?: ToolCall[];
    };
    finish_reason: FinishReason;
  }[];
  usage: Usage;
  /**
   * Names the state of the server that answered.
   */
  system_fingerprint: string;
};
/**
 * A piece of a message: text, or an image by its address.
 */
export type ContentPart = {
  type: 'text' | 'image_url';
  /**
   * The text of a text part.
   */
  text?: string;
  /**
   * The image of an image part.
   */
  image_url?: {
    /**
     * An http, https or data URL.
     */
    url: string;
    /**
     * How closely to look.
     */
    detail?: 'auto' | 'low' | 'high';
  };
};
/**
 * The body of every response with a status of 400 or more.
 */
export type ErrorBody = Version & {
  error: {
    /**
     * What is wrong, for a person.
     */
    message: string;
    /**
     * The family of the error, or its identifier.
     */
    type: string;
    /**
     * The input that is to blame, if one is.
     */
    param?: string | null;
    /**
     * The identifier of the error, or the status of the response as a number.
     */
    code: string | number;
  };
};
/**
 * When the requests of a load run are sent. Only the closed kind waits for answers.
 */
export type LoadArrival =
  | {
      kind: 'closed';
      /**
       * Users.
       */
      concurrency: number;
    }
  | {
      kind: 'constant';
      /**
       * Requests a second.
       */
      rate: number;
    }
  | {
      kind: 'poisson';
      /**
       * Requests a second, in the mean.
       */
      rate: number;
    }
  | {
      kind: 'bursts';
      /**
       * Requests of a burst.
       */
      size: number;
      /**
       * From one burst to the next.
       */
      everySeconds: number;
    }
  | {
      kind: 'ramp';
      /**
       * Requests a second at the begin.
       */
      fromRate: number;
      /**
       * @minItems 1
       */
      stages: {
        /**
         * Requests a second at its end.
         */
        toRate: number;
        seconds: number;
      }[];
      /**
       * Evenly spaced, or as independent users send.
       */
      spacing: 'even' | 'poisson';
    }
  | {
      kind: 'trace';
      /**
       * JSON Lines beside the profile: {"at": seconds, "promptTokens": n, "outputTokens": n}.
       */
      file: string;
      /**
       * Times as fast as recorded.
       */
      speed?: number;
    };
/**
 * What a load run does: one definition for every engine.
 */
export type LoadProfile = TrafficProfile | CapacityProfile | TierProfile;
/**
 * A model that can be asked. The document spells its capabilities in two ways; one of them is there.
 */
export type Model = Version & {
  /**
   * What a chat request calls it.
   */
  id: string;
  object: 'model';
  created: UnixTime;
  /**
   * Who made it available.
   */
  owned_by: string;
  /**
   * Kept for old OpenAI clients.
   */
  permission?: unknown[];
  /**
   * The model that it is a version of, or its own id.
   */
  root?: string;
  /**
   * The model that it was tuned from.
   */
  parent?: string | null;
  /**
   * Tokens that prompt and completion may have together.
   */
  context_window: number;
  capabilities?: Capabilities;
  Capabilities?: Capabilities;
};
/**
 * Every model that can be asked. An entry says more than the single model has to.
 */
export type ModelsList = Version & {
  object: 'list';
  /**
   * @minItems 1
   */
  data: (Model & {
    permission: unknown;
    root: unknown;
    parent: unknown;
  })[];
};
/**
 * Client message: asks for a generation. Takes the members of a chat request beside its type.
 */
export type WsStart = ChatRequest & {
  type: 'start';
  /**
   * The key, for clients that can set no headers.
   */
  api_key?: string;
};
/**
 * What a server delivers to a webhook when something happened. Members of data that are not listed are allowed.
 */
export type WebhookPayload = {
  /**
   * What happened: tool_call.started, tool_call.completed, tool_call.failed or generation.done.
   */
  event: string;
  /**
   * When it happened.
   */
  timestamp: string;
  /**
   * What it happened to.
   */
  data: {};
};

/**
 * What a model can do.
 */
export interface Capabilities {
  /**
   * Answers in chunks.
   */
  streaming: boolean;
  /**
   * Calls functions.
   */
  tools: boolean;
  /**
   * Takes or gives speech.
   */
  voice: boolean;
  /**
   * Looks at images. Not documented, so it may be absent.
   */
  vision?: boolean;
}
/**
 * What any response may say about the API that sent it. A server may say it in headers instead.
 */
export interface Version {
  /**
   * a release of version 1, such as 1.0
   */
  api_version?: string;
  /**
   * The day from which the API is no longer served; null while no end is planned.
   */
  deprecation_date?: string | null;
}
/**
 * Tokens that one completion took.
 */
export interface Usage {
  /**
   * Tokens of the messages.
   */
  prompt_tokens: number;
  /**
   * Tokens that were generated.
   */
  completion_tokens: number;
  /**
   * The sum of the other two.
   */
  total_tokens: number;
}
/**
 * A call of a function that the model asks for.
 */
export interface ToolCall {
  /**
   * Names the call, so that its result can refer to it.
   */
  id: string;
  type: 'function';
  function: {
    /**
     * The function, as its definition names it.
     */
    name: string;
    /**
     * The arguments as the model wrote them, meant to be JSON.
     */
    arguments: string;
  };
}
/**
 * Asks for the next message of a conversation. Members that are not listed are allowed and ignored.
 */
export interface ChatRequest {
  /**
   * The id of a listed model.
   */
  model: string;
  /**
   * The conversation so far, oldest first.
   *
   * @minItems 1
   */
  messages: Message[];
  /**
   * Spread of the sampling; 0 always takes the likeliest token.
   */
  temperature?: number;
  /**
   * Bound on the tokens that are generated.
   */
  max_tokens?: number;
  /**
   * The same bound, by the name that LangChain gives it; it comes before max_tokens. Known from OpenAI.
   */
  max_completion_tokens?: number;
  /**
   * Share of the probability mass that is sampled from.
   */
  top_p?: number;
  /**
   * Makes a token less likely, the more often it occurred.
   */
  frequency_penalty?: number;
  /**
   * Makes a token less likely once it occurred.
   */
  presence_penalty?: number;
  /**
   * Whether the answer comes in chunks while it is generated.
   */
  stream?: boolean;
  /**
   * Text that ends the generation where it appears.
   */
  stop?: string | string[] | null;
  /**
   * The functions that the model may call.
   */
  tools?: ToolDefinition[];
  /**
   * Whether the model may, must not or must call a function, and which.
   */
  tool_choice?:
    | ('auto' | 'none' | 'required')
    | {
        type: 'function';
        function: {
          name: string;
        };
      };
  /**
   * Whether one answer may hold several calls. Known from OpenAI.
   */
  parallel_tool_calls?: boolean;
  /**
   * The end user on whose behalf the request is made.
   */
  user?: string;
  /**
   * Makes equal requests give equal answers. Known from OpenAI.
   */
  seed?: number;
  /**
   * Number of choices; the API gives one. Known from OpenAI.
   */
  n?: 1;
  /**
   * Settings of a stream. Known from OpenAI.
   */
  stream_options?: {
    /**
     * Whether a last chunk without choices reports the usage.
     */
    include_usage?: boolean;
  };
}
/**
 * A turn of a conversation, as a request gives it.
 */
export interface Message {
  /**
   * Who speaks.
   */
  role: 'system' | 'user' | 'assistant' | 'tool';
  /**
   * What is said. Only an assistant that calls tools may say nothing.
   *
   * @minItems 1
   */
  content?: string | ContentPart[] | null;
  /**
   * Tells speakers of the same role apart.
   */
  name?: string;
  /**
   * What an assistant called.
   */
  tool_calls?: ToolCall[];
  /**
   * The call whose result a tool's message is.
   */
  tool_call_id?: string;
}
/**
 * A function that the model may call.
 */
export interface ToolDefinition {
  /**
   * Shown in the document; carries no meaning.
   */
  id?: string;
  type: 'function';
  function: {
    /**
     * What a call refers to.
     */
    name: string;
    /**
     * Tells the model what the function is for.
     */
    description?: string;
    /**
     * The JSON Schema of the arguments.
     */
    parameters?: {
      [k: string]: unknown;
    };
  };
}
/**
 * Requests that arrive in a stated way, measured.
 */
export interface TrafficProfile {
  kind: 'traffic';
  /**
   * Where this schema is, for editors.
   */
  $schema?: string;
  /**
   * Short name.
   */
  name: string;
  /**
   * What it is for, in a line.
   */
  description: string;
  workload: LoadWorkload;
  arrival: LoadArrival;
  /**
   * Requests sent in it are not measured. Of a ramp it comes before the stages, at the first rate; of a trace it is the first part.
   */
  warmUpSeconds?: number;
  /**
   * How long measured requests are sent; what is due later is not sent, whatever the arrival.
   */
  durationSeconds?: number;
  /**
   * How many measured requests are sent at most; a burst may be cut short by it.
   */
  requests?: number;
  /**
   * When a request that is not answered whole counts as failed.
   */
  timeoutSeconds?: number;
  /**
   * The most that a statistic of a request's latencies may be, in milliseconds: {"ttft_p95": 500}.
   */
  slos?: {
    [k: string]: number;
  };
  /**
   * Bounds on any statistic, besides the SLOs: {"error_fraction": {"atMost": 0.01}}.
   */
  thresholds?: {
    [k: string]: {
      atMost?: number;
      atLeast?: number;
    };
  };
}
/**
 * What each request of a load run asks for.
 */
export interface LoadWorkload {
  /**
   * Length of the prompt, fixed or evenly spread over a range.
   */
  promptTokens:
    | number
    | {
        from: number;
        to: number;
      };
  /**
   * The max_tokens of the request, fixed or evenly spread over a range.
   */
  outputTokens:
    | number
    | {
        from: number;
        to: number;
      };
  /**
   * How requests are made, by weight: one JSON body, server-sent events, a WebSocket.
   */
  transports: {
    json?: number;
    sse?: number;
    websocket?: number;
  };
  /**
   * Whether requests offer a tool.
   */
  tools?: boolean;
  /**
   * Spread of the sampling.
   */
  temperature?: number;
}
/**
 * A search for the highest rate within the SLOs.
 */
export interface CapacityProfile {
  kind: 'capacity';
  /**
   * Where this schema is, for editors.
   */
  $schema?: string;
  /**
   * Short name.
   */
  name: string;
  /**
   * What it is for, in a line.
   */
  description: string;
  workload: LoadWorkload;
  /**
   * Which rates are tried, and how.
   */
  search: {
    /**
     * Requests a second of the first step.
     */
    fromRate: number;
    /**
     * The highest rate to try.
     */
    toRate: number;
    /**
     * How long a rate is measured.
     */
    stepSeconds: number;
    /**
     * How long a rate is sent before it is measured.
     */
    warmUpSeconds: number;
    /**
     * Measurements of each rate that decides.
     */
    repeats: number;
    /**
     * The search ends once the bounds are this near, as a share of the rate.
     */
    precision: number;
    /**
     * Evenly spaced, or as independent users send.
     */
    spacing: 'even' | 'poisson';
  };
  /**
   * When a request that is not answered whole counts as failed.
   */
  timeoutSeconds?: number;
  /**
   * The most that a statistic of a request's latencies may be, in milliseconds: {"ttft_p95": 500}.
   */
  slos: {
    [k: string]: number;
  };
}
/**
 * Whether the limits of a customer tier hold, exactly.
 */
export interface TierProfile {
  kind: 'tier';
  /**
   * Where this schema is, for editors.
   */
  $schema?: string;
  /**
   * Short name.
   */
  name: string;
  /**
   * What it is for, in a line.
   */
  description: string;
  workload: LoadWorkload;
  /**
   * The customer tier that the key is of.
   */
  tier: 'free' | 'pro' | 'enterprise';
  /**
   * What the tier promises; what is absent is read from the headers where they give it.
   */
  limits: {
    /**
     * Requests in a window.
     */
    requestsPerMinute?: number;
    /**
     * Generations at a time.
     */
    concurrent?: number;
    /**
     * Prompt and completion tokens together.
     */
    tokensPerDay?: number;
    /**
     * Length of the window of the request limit.
     */
    windowSeconds?: number;
  };
  /**
   * What is tried, in this order.
   *
   * @minItems 1
   */
  checks: ('burst' | 'paced' | 'concurrency' | 'tokens')[];
  /**
   * When a request that is not answered whole counts as failed.
   */
  timeoutSeconds?: number;
}
/**
 * What one load run measured.
 */
export interface LoadResult {
  format: 'stack29-load/1';
  /**
   * Name and version of what measured.
   */
  tool: string;
  engine: 'embedded' | 'k6';
  /**
   * The command that was run, without the key.
   */
  command: string;
  /**
   * What was measured.
   */
  target: {
    /**
     * Base URL.
     */
    url: string;
    /**
     * Model asked for.
     */
    model: string;
    /**
     * What it is, where that is known.
     */
    description?: string;
  };
  profile: LoadProfile;
  /**
   * Seed of everything that is random.
   */
  seed?: number;
  /**
   * Processes of the client.
   */
  workers: number;
  /**
   * ISO 8601, UTC.
   */
  startedAt: string;
  /**
   * Wall time of the figures: from the first measured request's due time to the end of the last.
   */
  measuredSeconds: number;
  requests: RequestCounts;
  /**
   * Tokens of the requests answered whole.
   */
  tokens: {
    /**
     * As usage reports them; 0 where it does not.
     */
    prompt: number;
    /**
     * As usage reports them, else counted chunks.
     */
    output: number;
    countedBy: 'usage' | 'chunks' | 'both' | 'none';
  };
  /**
   * By name; specs/metrics.ts has the formulas.
   */
  metrics: {
    [k: string]: Distribution | Figure;
  };
  /**
   * Failures by kind, the most frequent first.
   *
   * Items: One kind.
   */
  errors: {
    /**
     * Its name.
     */
    kind: string;
    /**
     * How often.
     */
    count: number;
  }[];
  /**
   * The run in slices of equal length.
   */
  timeline?: {
    /**
     * Length of a slice.
     */
    sliceSeconds: number;
    slices: LoadSlice[];
  };
  clientHealth: ClientHealth;
  /**
   * SLOs and thresholds.
   */
  bounds: BoundVerdict[];
  capacity?: Capacity;
  /**
   * Verdicts of a tier profile.
   */
  tier?: TierCheck[];
  /**
   * What a reader of the figures must know, a line each.
   */
  notes: string[];
  /**
   * broken: a limit of the tier does not hold; crossed: a bound was not kept; incomplete: something could not be measured.
   */
  outcome: 'passed' | 'broken' | 'crossed' | 'incomplete';
  /**
   * Why the run ended before its time; absent where it did not.
   */
  endedEarly?: 'interrupted' | 'target gone';
}
/**
 * Measured requests.
 */
export interface RequestCounts {
  /**
   * Sent.
   */
  sent: number;
  /**
   * Answered whole.
   */
  succeeded: number;
  /**
   * Failed.
   */
  failed: number;
  /**
   * Refused with 429.
   */
  limited: number;
  /**
   * Still under way when the run was ended.
   */
  unfinished: number;
  /**
   * Sent before, not measured.
   */
  warmUp: number;
}
/**
 * A distribution of milliseconds.
 */
export interface Distribution {
  unit: 'ms';
  /**
   * Values.
   */
  count: number;
  /**
   * Arithmetic mean.
   */
  mean: number;
  /**
   * Least.
   */
  min: number;
  /**
   * Greatest.
   */
  max: number;
  /**
   * By percentile: {"95": 12.5}.
   */
  percentiles: {
    [k: string]: number;
  };
  /**
   * HdrHistogram of microseconds, V2, compressed, in base64; absent where the engine keeps none.
   */
  histogram?: string;
}
/**
 * A single figure.
 */
export interface Figure {
  /**
   * Its unit.
   */
  unit: string;
  /**
   * The figure.
   */
  value: number;
}
/**
 * What happened to the requests that were to be sent within a slice of the run.
 */
export interface LoadSlice {
  /**
   * Begin, in seconds since the first measured request was due.
   */
  at: number;
  /**
   * Sent.
   */
  sent: number;
  /**
   * Answered whole.
   */
  succeeded: number;
  /**
   * Failed, refusals for a limit not counted.
   */
  failed: number;
  /**
   * Refused with 429.
   */
  limited: number;
  /**
   * Most at a time.
   */
  inFlight: number;
  /**
   * Of those answered whole.
   */
  outputTokens: number;
  /**
   * Distributions of the slice by metric, as HdrHistogram in base64.
   */
  histograms?: {
    [k: string]: string;
  };
}
/**
 * Whether the client itself was fast enough for its figures to be the target's.
 */
export interface ClientHealth {
  /**
   * How late the client's own timers were.
   */
  eventLoopDelayMs?: {
    /**
     * Median.
     */
    p50: number;
    /**
     * 99 in 100.
     */
    p99: number;
    /**
     * Worst.
     */
    max: number;
  };
  /**
   * Processor time over wall time of the busiest process of the client; 1 is one core.
   */
  cpu?: number;
  /**
   * Requests that the client sent later than 10 ms after they were due, for its own reasons.
   */
  lateSends?: {
    /**
     * How many.
     */
    count: number;
    /**
     * 99 in 100 of all requests.
     */
    p99Ms: number;
    /**
     * Worst.
     */
    maxMs: number;
  };
  /**
   * Most connections at a time.
   */
  sockets?: number;
  /**
   * Most resident memory of the busiest process.
   */
  memoryMb?: number;
  /**
   * k6: requests that had no user left to send them.
   */
  droppedIterations?: number;
  /**
   * Whether the figures say more of the client than of the target.
   */
  isLimit: boolean;
  /**
   * Why, a line each.
   */
  reasons: string[];
}
/**
 * An SLO or a threshold, and what became of it.
 */
export interface BoundVerdict {
  /**
   * The statistic.
   */
  name: string;
  /**
   * Its unit.
   */
  unit: string;
  /**
   * Upper bound.
   */
  atMost?: number;
  /**
   * Lower bound.
   */
  atLeast?: number;
  /**
   * What was measured; absent where nothing was.
   */
  actual?: number;
  /**
   * Whether it was kept; a bound on nothing measured is not.
   */
  kept: boolean;
  /**
   * True where the client could have decided it by itself: it was the limit, or stood still for a moment that may have made the slowest so slow.
   */
  inDoubt?: boolean;
}
/**
 * What a search for the capacity found.
 */
export interface Capacity {
  points: CapacityPoint[];
  /**
   * The highest rate within the SLOs; absent where there is none, or where the client was the limit.
   */
  rate?: number;
  /**
   * Between the highest rate that held in every repeat and the lowest above it that broke in one.
   *
   * @minItems 2
   * @maxItems 2
   */
  rateInterval?: number[];
  /**
   * Output tokens a second at that rate.
   */
  outputTokenRate?: number;
  /**
   * Its 95% confidence interval over the repeats.
   *
   * @minItems 2
   * @maxItems 2
   */
  outputTokenRateInterval?: number[];
  /**
   * Why there is no rate.
   */
  withheld?: string;
}
/**
 * One rate that a search measured.
 */
export interface CapacityPoint {
  /**
   * Requests a second, as sent.
   */
  rate: number;
  /**
   * Whether every SLO held and the queue did not grow, for certain.
   */
  within: boolean;
  /**
   * Whether the queue grew without end.
   */
  saturated: boolean;
  /**
   * Whether the client was the limit.
   */
  clientLimited: boolean;
  /**
   * Answered whole.
   */
  requests: number;
  /**
   * Failed.
   */
  failed: number;
  /**
   * Refused with 429.
   */
  limited: number;
  /**
   * Output tokens a second.
   */
  outputTokenRate: number;
  /**
   * What the SLOs are about, in their units.
   */
  statistics: {
    [k: string]: number;
  };
  /**
   * The SLOs that broke, and other reasons.
   */
  broken: string[];
  /**
   * Why some of it could not be judged, so that it is not within; absent where all could.
   */
  undecided?: string[];
}
/**
 * One check of a tier.
 */
export interface TierCheck {
  check: 'burst' | 'paced' | 'concurrency' | 'tokens';
  /**
   * The limit that is tried.
   */
  limit?: number;
  /**
   * Requests sent.
   */
  sent: number;
  /**
   * Requests that the limit admits.
   */
  expected?: number;
  /**
   * Requests that were.
   */
  admitted: number;
  /**
   * Refused with 429.
   */
  refused: number;
  /**
   * Answered otherwise, or not.
   */
  other: number;
  verdict: 'holds' | 'broken' | 'inconclusive';
  /**
   * Why, a line each.
   */
  reasons: string[];
}
/**
 * Headers of every authenticated response, their names in small letters. They count requests in the current window.
 */
export interface RateLimitHeaders {
  /**
   * the requests that a window admits, a whole number of at least 1
   */
  'x-ratelimit-limit': string;
  /**
   * the requests that the window still admits, a whole number of at least 0
   */
  'x-ratelimit-remaining': string;
  /**
   * the end of the window, in whole Unix seconds
   */
  'x-ratelimit-reset': string;
  /**
   * the requests of the window so far, a whole number of at least 0
   */
  'x-ratelimit-used': string;
}
/**
 * Server message: a piece of the answer.
 */
export interface WsContent {
  type: 'content';
  /**
   * The text that follows the pieces before.
   */
  content: string;
}
/**
 * Server message: the generation is over. What it says beside that is up to the server.
 */
export interface WsDone {
  type: 'done';
  finish_reason?: FinishReason;
  usage?: Usage;
}
/**
 * Server message: what was asked for cannot be done.
 */
export interface WsError {
  type: 'error';
  /**
   * What is wrong, for a person.
   */
  message: string;
  /**
   * The identifier of the error, or the HTTP status that it stands for.
   */
  code?: string | number;
  /**
   * The input that is to blame, if one is.
   */
  param?: string | null;
}
/**
 * Client message: asks whether the server is still there.
 */
export interface WsPing {
  type: 'ping';
}
/**
 * Server message: answers a ping.
 */
export interface WsPong {
  type: 'pong';
}
/**
 * Client message: ends the generation that runs.
 */
export interface WsStop {
  type: 'stop';
}
/**
 * Server message: a tool is called.
 */
export interface WsToolCall {
  type: 'tool_call';
  tool_call: ToolCall;
}
/**
 * Server message: what came of a tool that was called.
 */
export interface WsToolResult {
  type: 'tool_result';
  /**
   * The call that it answers.
   */
  tool_call_id: string;
  /**
   * What the tool gave back; null where it failed.
   */
  output: string | null;
  /**
   * Why the tool failed; null where it did not.
   */
  error: string | null;
  /**
   * How long the tool ran, in milliseconds.
   */
  execution_time_ms: number;
}
