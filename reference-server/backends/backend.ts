/** An image of a message, fetched and seen to be one. */
export interface Image {
  readonly base64: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly detail: 'low' | 'high' | 'auto';
}

/** A message as a backend reads it: text parts are already joined to one text. */
export interface BackendMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
  /** Only where the model has vision. */
  readonly images?: readonly Image[];
  /** What an assistant called; absent where it called nothing. */
  readonly toolCalls?: readonly BackendCall[];
  /** The call whose result a tool's message is. */
  readonly toolCallId?: string;
}

export interface BackendCall {
  readonly id: string;
  readonly name: string;
  /** As the model wrote them, meant to be JSON. */
  readonly arguments: string;
}

/** The arguments as a value; as the text that they are where it is no JSON. */
export function argumentsOf({ arguments: text }: BackendCall): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A function that the model may call. */
export interface BackendTool {
  readonly name: string;
  readonly description?: string;
  /** The JSON Schema of the arguments. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** A validated request with every documented default filled in. */
export interface Generation {
  readonly messages: readonly BackendMessage[];
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  readonly stop: readonly string[];
  /** Same seed, same request: same text. Absent means a random one. */
  readonly seed?: number;
  /** The functions that the prompt tells of; absent where there are none. */
  readonly tools?: readonly BackendTool[];
  /**
   * Where present the text is nothing but a call of one of these, as `{"name": …, "arguments": {…}}` with arguments that
   * are valid against its parameters, as far as `maxTokens` lets it come to its end.
   */
  readonly forced?: readonly BackendTool[];
}

export type GenerationEvent =
  /** A piece of text, never empty, made of whole characters. */
  | { readonly type: 'text'; readonly text: string }
  /** The last event of every generation that was not aborted. */
  | {
      readonly type: 'end';
      readonly finishReason: 'stop' | 'length';
      readonly completionTokens: number;
      /** Tokens of the prompt that were not remembered from an earlier one; absent where none are ever read. */
      readonly promptTokensRead?: number;
    };

export interface ServedModel {
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  /** Tokens of prompt and completion together. */
  readonly contextWindow: number;
  /** Whether messages may hold images. */
  readonly vision: boolean;
}

/** The backend cannot answer now (its process died, or is starting): the API says 503. */
export class BackendUnavailable extends Error {
  /** Milliseconds after which it has likely started again; absent where nobody knows. */
  readonly backInMs: number | undefined;

  constructor(message: string, backInMs?: number) {
    super(message);
    this.backInMs = backInMs;
  }
}

/** Makes text. Everything about HTTP, keys and limits is above it. */
export interface Backend {
  readonly model: ServedModel;
  /** Milliseconds after which it has likely started again after a crash; absent while it can answer. */
  readonly backInMs?: number | undefined;
  /** How often it was started again after a crash; absent where it never is. */
  readonly restarts?: number;
  /**
   * Tokens of the whole prompt, tools included, with the chat template applied. Of a prompt that cannot fit the context window it may be
   * any lower number that does not fit either; once the signal is aborted the number means nothing.
   * @throws BackendUnavailable
   */
  countPrompt(
    messages: readonly BackendMessage[],
    signal: AbortSignal,
    tools?: readonly BackendTool[],
  ): Promise<number>;
  /**
   * Generates until a stop sequence, `maxTokens` or the model's own end. The caller has seen to it that prompt and
   * `maxTokens` fit the context window. Stop sequences are not part of the text.
   * @throws BackendUnavailable when the model's process ends before or while generating.
   */
  generate(generation: Generation, signal: AbortSignal): AsyncIterable<GenerationEvent>;
  close(): Promise<void>;
}
