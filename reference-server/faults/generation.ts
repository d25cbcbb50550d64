import type { Exchange } from '../admission.ts';
import type { GenerationEvent } from '../backends/backend.ts';
import type { Behaviour } from '../behaviour.ts';
import { asked } from '../change.ts';
import { accepting } from './checks.ts';
import type { Faults } from './fault.ts';

const isStreamed = (exchange: Exchange) => asked(exchange).stream === true;
const inOneBody = (exchange: Exchange) => !isStreamed(exchange);
const stopIsText = (exchange: Exchange) => inOneBody(exchange) && typeof asked(exchange).stop === 'string';

const isBelow = (exchange: Exchange, tokens: number) =>
  inOneBody(exchange) && Number(asked(exchange).max_tokens) < tokens;

/** Asks the backend for less or more stop sequences. */
const withStops = (
  change: (stops: readonly string[]) => readonly string[],
  when: (exchange: Exchange) => boolean,
): Behaviour => ({
  generation: (generation, exchange) =>
    when(exchange) ? { ...generation, stop: change(generation.stop) } : generation,
});

/** Ends a text that was generated without stop sequences where `cut` says, given where its stop sequence ends. */
function stoppingLate(
  cut: (text: string, end: number) => number | undefined,
  when: (exchange: Exchange) => boolean,
): Behaviour {
  return {
    ...withStops(() => [], when),
    async *output(events, exchange) {
      const { stop } = asked(exchange);
      if (typeof stop !== 'string' || !when(exchange)) return yield* events;
      let text = '';
      let tokens = 0;
      for await (const event of events) {
        if (event.type === 'end') return yield* ending(text, event);
        text += event.text;
        tokens += 1;
        const start = text.indexOf(stop);
        const end = start === -1 ? undefined : cut(text, start + stop.length);
        if (end !== undefined)
          return yield* ending(text.slice(0, end), { type: 'end', finishReason: 'stop', completionTokens: tokens });
      }
    },
  };
}

function* ending(text: string, end: GenerationEvent): Generator<GenerationEvent> {
  for (const piece of text.match(/\s*\S+\s*?/g) ?? []) yield { type: 'text', text: piece };
  yield end;
}

/** Where the text is long enough to show what comes after the stop sequence: there. */
const oneWordLater = (text: string, end: number) => (text.length > end + 12 ? end + 12 : undefined);

/** Gives another reason where a stop sequence ended the text. */
const stopCalledLength = (when: (exchange: Exchange) => boolean): Behaviour => ({
  async *output(events, exchange) {
    for await (const event of events) {
      const stopped = event.type === 'end' && event.finishReason === 'stop' && when(exchange);
      yield stopped ? { ...event, finishReason: 'length' } : event;
    }
  },
});

export const generationFaults = {
  'one-token-too-many': {
    description: 'max_tokens is passed by one token',
    trips: ['chat.max-tokens.cap'],
    behaviour: {
      generation: (generation, exchange) =>
        asked(exchange).max_tokens === undefined ? generation : { ...generation, maxTokens: generation.maxTokens + 1 },
    },
  },
  'small-max-tokens-ignored': {
    description: 'a max_tokens below 8 means 8',
    trips: ['chat.max-tokens.cap'],
    behaviour: accepting('max_tokens', (value) => Number.isInteger(value) && Number(value) > 1 && Number(value) < 8, 8),
  },
  'max-tokens-only-counted': {
    description: 'a max_tokens below 24 bounds what usage counts, and not the text',
    trips: ['chat.max-tokens.text'],
    behaviour: {
      generation: (generation, exchange) =>
        isBelow(exchange, 24) ? { ...generation, maxTokens: Math.max(24, generation.maxTokens) } : generation,
      async *output(events, exchange) {
        const most = Number(asked(exchange).max_tokens);
        for await (const event of events) {
          const passed = event.type === 'end' && isBelow(exchange, 24);
          yield passed ? { ...event, completionTokens: Math.min(event.completionTokens, most) } : event;
        }
      },
    },
  },
  'stream-max-tokens-doubled': {
    description: 'streams go on to twice max_tokens',
    trips: ['stream.max-tokens.text', 'stream.same.text'],
    behaviour: {
      generation: (generation, exchange) =>
        isStreamed(exchange) ? { ...generation, maxTokens: 2 * generation.maxTokens } : generation,
    },
  },
  'default-one-too-many': {
    description: 'without max_tokens up to 1,001 tokens are generated',
    trips: ['chat.max-tokens.default'],
    behaviour: accepting('max_tokens', (value) => value === undefined, 1001),
  },
  'default-whole-window': {
    description: 'without max_tokens the whole context window is generated',
    trips: ['chat.max-tokens.default'],
    behaviour: accepting('max_tokens', (value) => value === undefined, 1_000_000),
  },
  'default-too-small': {
    description: 'without max_tokens an answer is cut off at 256 tokens',
    trips: ['chat.max-tokens.default'],
    behaviour: accepting('max_tokens', (value) => value === undefined, 256),
  },
  'stop-text-ignored': {
    description: 'a stop sequence that is given as a string is ignored',
    trips: ['chat.stop.string'],
    behaviour: withStops(() => [], stopIsText),
  },
  'stop-text-late': {
    description: 'an answer goes on for some letters after a stop sequence',
    trips: ['chat.stop.string'],
    behaviour: stoppingLate(oneWordLater, stopIsText),
  },
  'stop-array-first-only': {
    description: 'only the first stop sequence of an array is heeded',
    trips: ['chat.stop.array'],
    behaviour: withStops((stops) => stops.slice(0, 1), inOneBody),
  },
  'stop-array-last-only': {
    description: 'only the last stop sequence of an array is heeded',
    trips: ['chat.stop.array'],
    behaviour: withStops((stops) => stops.slice(-1), inOneBody),
  },
  'stop-called-length': {
    description: 'an answer that a stop sequence ended has the finish_reason length',
    trips: ['chat.stop.finish-reason'],
    behaviour: stopCalledLength((exchange) => inOneBody(exchange) && asked(exchange).stop !== undefined),
  },
  'stop-included': {
    description: 'the content ends with the stop sequence',
    trips: ['chat.stop.excluded'],
    behaviour: stoppingLate((_, end) => end, stopIsText),
  },
  'stream-stop-ignored': {
    description: 'streams ignore stop sequences',
    trips: ['stream.stop.honoured'],
    behaviour: withStops(() => [], isStreamed),
  },
  'stream-stop-late': {
    description: 'a stream goes on for some letters after a stop sequence',
    trips: ['stream.stop.honoured'],
    behaviour: stoppingLate(oneWordLater, isStreamed),
  },
  'stream-stop-called-length': {
    description: 'a stream that a stop sequence ended has the finish_reason length',
    trips: ['stream.stop.honoured'],
    behaviour: stopCalledLength(isStreamed),
  },
  'stream-stop-included': {
    description: 'the streamed content ends with the stop sequence',
    trips: ['stream.stop.excluded'],
    behaviour: stoppingLate((_, end) => end, isStreamed),
  },
  'stream-cut-called-stop': {
    description: 'a stream that max_tokens cut off has the finish_reason stop',
    trips: ['stream.max-tokens.finish-reason', 'stream.same.finish-reason'],
    behaviour: {
      async *output(events, exchange) {
        for await (const event of events) {
          yield event.type === 'end' && isStreamed(exchange) ? { ...event, finishReason: 'stop' } : event;
        }
      },
    },
  },
  'stream-in-one-piece': {
    description: 'a stream holds the whole answer in one chunk',
    trips: ['stream.incremental'],
    behaviour: {
      async *output(events, exchange) {
        if (!isStreamed(exchange)) return yield* events;
        let text = '';
        for await (const event of events) {
          if (event.type === 'text') {
            text += event.text;
            continue;
          }
          if (text !== '') yield { type: 'text', text };
          yield event;
        }
      },
    },
  },
} as const satisfies Faults;
