import type { Exchange } from './admission.ts';
import { ApiError } from './api-error.ts';
import type { BackendCall, BackendMessage, Generation, GenerationEvent } from './backends/backend.ts';
import type { Behaviour } from './behaviour.ts';
import type { Chat } from './chat-answer.ts';
import { failingOn } from './demand.ts';
import { generate } from './generate.ts';
import type { Place } from './limits/store.ts';
import type { Service } from './service.ts';
import { CallReader, type SpokenPart } from './tools/call-reader.ts';
import type { ToolResult } from './tools/tool-runner.ts';

/** What happens while a chat is answered, in order. */
export type AnswerEvent =
  | SpokenPart
  /** The server begins to run a call that is its own. The client never sees such a call as a {@link SpokenPart}. */
  | { readonly type: 'tool_call'; readonly call: BackendCall }
  /** What came of it. After an error the events end with an ApiError `tool_error`. */
  | { readonly type: 'tool_result'; readonly call: BackendCall; readonly result: ToolResult }
  /** The last event of every answer that was not aborted; tokens are those of all rounds together. */
  | {
      readonly type: 'end';
      readonly finishReason: 'stop' | 'length' | 'tool_calls';
      readonly promptTokens: number;
      readonly completionTokens: number;
    };

/** In the last of these the model is told of no tools, so that one that would call for ever answers in words. */
const mostRounds = 8;

/**
 * Answers a chat once it has a slot, which is free again afterwards: generates, runs the calls that are the server's own, and
 * generates again with their results, until the model has nothing more to run. Run it to its end, or return it.
 * @param change what becomes of what the model says
 * @throws ApiError `tool_error` where a call fails
 */
export async function* answerEvents(
  service: Service,
  exchange: Exchange,
  chat: Chat,
  signal: AbortSignal,
  change: Required<Behaviour>['output'] = service.behaviour.output,
): AsyncGenerator<AnswerEvent> {
  const { model } = service.backend;
  const held: Place = { running: 0, release: async () => {} };
  let { generation, promptTokens } = chat;
  let allPromptTokens = 0;
  let completionTokens = 0;
  try {
    await chat.turn.come(signal);
    if (signal.aborted) return;
    for (let round = 1; ; round += 1) {
      const events = generate(service, exchange, { generation, promptTokens, place: held }, signal);
      const output = change(failingOn(exchange.demand, events), exchange);
      const spoken = yield* speak(service, readCalls(chat, generation, output));
      if (spoken === undefined) return;
      allPromptTokens += promptTokens;
      completionTokens += spoken.completionTokens;
      const end = { type: 'end', promptTokens: allPromptTokens, completionTokens } as const;
      if (spoken.own.length === 0) return yield { ...end, finishReason: spoken.finishReason };

      const results: BackendMessage[] = [];
      for (const call of spoken.own) {
        yield { type: 'tool_call', call };
        const result = await service.tools?.run(call, signal);
        if (result === undefined || signal.aborted) return;
        yield { type: 'tool_result', call, result };
        if (result.error !== null) throw new ApiError('tool_error', `${call.name} failed: ${result.error}`);
        results.push({ role: 'tool', content: result.output ?? '', toolCallId: call.id });
      }
      const said: BackendMessage = { role: 'assistant', content: spoken.text, toolCalls: spoken.own };
      const { forced: _, tools: offered = [], ...free } = generation;
      const tools = round + 1 < mostRounds ? offered : [];
      const messages = [...generation.messages, said, ...results];
      promptTokens = await service.backend.countPrompt(messages, signal, tools);
      const left = Math.min(generation.maxTokens - spoken.completionTokens, model.contextWindow - promptTokens);
      if (left < 1) return yield { ...end, finishReason: 'length' };
      generation = { ...free, messages, tools, maxTokens: left };
    }
  } finally {
    chat.turn.leave();
  }
}

interface Spoken {
  readonly text: string;
  /** The calls of a finished answer that the server runs: all of its calls, or none. */
  readonly own: readonly BackendCall[];
  readonly finishReason: 'stop' | 'length' | 'tool_calls';
  readonly completionTokens: number;
}

/** Passes on what is for the client. Calls that begin with one of the server's own are held until all are known. */
async function* speak(
  { tools }: Service,
  parts: AsyncIterable<SpokenPart | SpokenEnd>,
): AsyncGenerator<AnswerEvent, Spoken | undefined> {
  let text = '';
  const held: SpokenPart[] = [];
  const calls: BackendCall[] = [];
  let leftToClient = false;
  for await (const part of parts) {
    if (part.type === 'end') {
      const isOwn = part.finishReason === 'tool_calls' && calls.every(({ name }) => tools?.names.has(name));
      if (!isOwn) yield* held;
      return { ...part, text, own: isOwn && !leftToClient ? calls : [] };
    }
    if (part.type === 'text') text += part.text;
    if (part.type === 'call' && calls.length === 0) leftToClient = !tools?.names.has(part.name);
    if (part.type === 'text' || leftToClient) {
      if (part.type === 'call') calls.push({ id: part.id, name: part.name, arguments: '' });
      yield part;
      continue;
    }
    held.push(part);
    const last = calls.at(-1);
    if (part.type === 'call') calls.push({ id: part.id, name: part.name, arguments: '' });
    else if (last) calls.splice(-1, 1, { ...last, arguments: last.arguments + part.text });
  }
  return undefined;
}

interface SpokenEnd extends Pick<Spoken, 'finishReason' | 'completionTokens'> {
  readonly type: 'end';
}

/** Reads the calls out of what the model says. */
async function* readCalls(
  { request }: Chat,
  { tools = [], forced = [] }: Generation,
  events: AsyncIterable<GenerationEvent>,
): AsyncGenerator<SpokenPart | SpokenEnd> {
  if (tools.length === 0) return yield* events;
  const reader = new CallReader({
    names: new Set(tools.map(({ name }) => name)),
    forced: forced.length > 0,
    most: request.parallel_tool_calls === false ? 1 : Number.POSITIVE_INFINITY,
  });
  for await (const event of events) {
    if (event.type === 'text') {
      yield* reader.read(event.text);
      continue;
    }
    yield* reader.end();
    yield {
      ...event,
      finishReason: reader.calls > 0 && event.finishReason === 'stop' ? 'tool_calls' : event.finishReason,
    };
  }
}
