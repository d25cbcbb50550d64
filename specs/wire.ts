/* Written by `npm run generate` from schemas/*.json. Change those, not this file. */

export type AnyBody =
  | Capabilities
  | ChatChunk
  | ChatCompletion
  | ChatRequest
  | ContentPart
  | ErrorBody
  | FinishReason
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
