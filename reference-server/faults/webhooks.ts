import { hash, randomUUID } from 'node:crypto';
import type { WebhookPayload } from '../../specs/wire.ts';
import type { Exchange } from '../admission.ts';
import type { Behaviour } from '../behaviour.ts';
import { asked, changed } from '../change.ts';
import type { OutgoingDelivery } from '../webhooks/courier.ts';
import type { Faults } from './fault.ts';

type Which = (payload: WebhookPayload, exchange: Exchange) => boolean;

const every: Which = () => true;
const isEnd: Which = ({ event }) => event === 'generation.done';
const isCall: Which = ({ event }) => event.startsWith('tool_call.');
const isStarted: Which = ({ event }) => event === 'tool_call.started';
const isCompleted: Which = ({ event }) => event === 'tool_call.completed';
const isFailed: Which = ({ event }) => event === 'tool_call.failed';

/** Tells something else, or nothing, in the place of some events. */
const telling = (which: Which, instead: (payload: WebhookPayload) => readonly WebhookPayload[]): Behaviour => ({
  tell: (payload, exchange) => (which(payload, exchange) ? instead(payload) : [payload]),
});

/** Changes a part of the payloads of some events. */
const withPart = (which: Which, pointer: string, to: unknown): Behaviour =>
  telling(which, (payload) => [changed(payload, pointer, to) as WebhookPayload]);

/** Sends a changed copy after some payloads, so that nothing that is to be told is missing. */
const withCopy = (which: Which, pointer: string, to: unknown): Behaviour =>
  telling(which, (payload) => [payload, changed(payload, pointer, to) as WebhookPayload]);

const later = (ms: number) => (timestamp: string) => new Date(Date.parse(timestamp) + ms).toISOString();

const hour = 3_600_000;

const withHeaders = (headers: Readonly<Record<string, string | undefined>>): Behaviour => ({
  deliver(delivery: OutgoingDelivery) {
    const all = Object.entries({ ...delivery.headers, ...headers });
    return {
      ...delivery,
      headers: Object.fromEntries(all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    };
  },
});

/** The same for a payload that is sent again. */
const idOf = (body: string) => `msg_${hash('sha256', body)}`;

const shownCall = () => ({
  index: 0,
  message: {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: `call_${randomUUID()}`, type: 'function', function: { name: 'execute_code', arguments: '{}' } }],
  },
  finish_reason: 'tool_calls',
});

export const webhookFaults = {
  'webhook-streams-untold': {
    description: 'webhooks are not told of the end of a stream',
    trips: ['webhooks.generation.done'],
    behaviour: telling(
      (payload, exchange) => isEnd(payload, exchange) && asked(exchange).stream === true,
      () => [],
    ),
  },
  'webhook-forced-untold': {
    description: 'webhooks are not told of the end of a chat that called a tool',
    trips: ['webhooks.generation.done'],
    behaviour: telling(
      (payload, exchange) => isEnd(payload, exchange) && typeof asked(exchange).tool_choice === 'object',
      () => [],
    ),
  },
  'webhook-streams-untold-without-ids': {
    description: 'webhooks are told that generations end, without their ids, and not of the last',
    trips: ['webhooks.generation.done', 'webhooks.generation.identified'],
    behaviour: {
      tell(payload, exchange) {
        if (!isEnd(payload, exchange)) return [payload];
        const told = asked(exchange).tool_choice === undefined && asked(exchange).stream === true;
        return told ? [{ ...payload, data: {} }] : [];
      },
    },
  },
  'webhook-ends-twice-in-place-of-others': {
    description:
      'webhooks are told twice that a plain generation ends, without its id, and not of those that call a tool',
    trips: ['webhooks.generation.done', 'webhooks.generation.identified', 'webhooks.delivery.once'],
    behaviour: {
      tell(payload, exchange) {
        if (!isEnd(payload, exchange)) return [payload];
        const end = { ...payload, data: {} };
        return asked(exchange).tool_choice === undefined ? [end, end] : [];
      },
      deliver: (delivery) => ({ ...delivery, headers: { ...delivery.headers, 'webhook-id': idOf(delivery.body) } }),
    },
  },
  'webhook-ends-without-id': {
    description: 'generation.done does not say which chat ended',
    trips: ['webhooks.generation.identified'],
    behaviour: withPart(isEnd, '/data/id', undefined),
  },
  'webhook-event-unknown': {
    description: 'webhooks are told of an event that is not documented',
    trips: ['webhooks.event.known'],
    behaviour: withCopy(isEnd, '/event', 'generation.archived'),
  },
  'webhook-call-not-started': {
    description: 'webhooks are not told that tool calls start',
    trips: ['webhooks.tool-call.started'],
    behaviour: telling(isStarted, () => []),
  },
  'webhook-call-not-completed': {
    description: 'webhooks are not told that a tool call was completed',
    trips: ['webhooks.tool-call.ended'],
    behaviour: telling(isCompleted, () => []),
  },
  'webhook-call-not-failed': {
    description: 'webhooks are not told that a tool call failed',
    trips: ['webhooks.tool-call.ended'],
    behaviour: telling(isFailed, () => []),
  },
  'webhook-call-completed-and-failed': {
    description: 'a completed tool call is told as failed, too',
    trips: ['webhooks.tool-call.ended'],
    behaviour: telling(isCompleted, (payload) => [
      payload,
      { ...payload, event: 'tool_call.failed', data: { ...payload.data, error: 'it failed' } },
    ]),
  },
  'webhook-call-starts-after-its-end': {
    description: 'a tool call has a start that is later than its end',
    trips: ['webhooks.tool-call.order'],
    behaviour: withPart(isStarted, '/timestamp', later(2_000)),
  },
  'webhook-chat-ends-before-its-call': {
    description: 'generation.done has an earlier time than the tool call of its chat',
    trips: ['webhooks.tool-call.order'],
    behaviour: withPart(isEnd, '/timestamp', later(-3_000)),
  },
  'webhook-start-delivered-last': {
    description: 'the start of a tool call is delivered after its end',
    trips: ['webhooks.delivery.order'],
    behaviour: {
      tell(payload, exchange) {
        if (isStarted(payload, exchange)) return [];
        return isCall(payload, exchange) ? [payload, { ...payload, event: 'tool_call.started' }] : [payload];
      },
    },
  },
  'webhook-delivered-twice': {
    description: 'what tells of completed tool calls is delivered twice',
    trips: ['webhooks.delivery.once'],
    behaviour: telling(isCompleted, (payload) => [payload, payload]),
  },
  'webhook-end-delivered-twice': {
    description: 'the end of a stream is delivered twice',
    trips: ['webhooks.delivery.once'],
    behaviour: telling(
      (payload, exchange) => isEnd(payload, exchange) && asked(exchange).stream === true,
      (payload) => [payload, payload],
    ),
  },
  'webhook-not-retried': {
    description: 'a delivery that fails is given up at once',
    trips: ['webhooks.delivery.retried'],
    behaviour: { deliver: (delivery) => ({ ...delivery, attempts: 1 }) },
  },
  'webhook-unsigned': {
    description: 'deliveries are not signed',
    trips: ['webhooks.delivery.signed'],
    behaviour: withHeaders({ 'webhook-signature': undefined }),
  },
  'webhook-put': {
    description: 'deliveries are PUT requests',
    trips: ['webhooks.delivery.method'],
    behaviour: { deliver: (delivery) => ({ ...delivery, method: 'PUT' }) },
  },
  'webhook-labelled-form': {
    description: 'deliveries are labelled as a form',
    trips: ['webhooks.delivery.method'],
    behaviour: withHeaders({ 'Content-Type': 'application/x-www-form-urlencoded' }),
  },
  'webhook-text': {
    description: 'a line of text is delivered after every generation.done',
    trips: ['webhooks.payload.json'],
    behaviour: {
      ...withCopy(isEnd, '/data', { text: true }),
      deliver: (delivery) =>
        delivery.body.includes('"text":true') ? { ...delivery, body: 'the generation is done' } : delivery,
    },
  },
  'webhook-list': {
    description: 'after every generation.done it is delivered again in a list',
    trips: ['webhooks.payload.json'],
    behaviour: {
      ...withCopy(isEnd, '/data', { text: true }),
      deliver: (delivery) =>
        delivery.body.includes('"text":true') ? { ...delivery, body: `[${delivery.body}]` } : delivery,
    },
  },
  'webhook-event-missing': {
    description: 'a payload without its event follows generation.done',
    trips: ['webhooks.payload.event'],
    behaviour: withCopy(isEnd, '/event', undefined),
  },
  'webhook-event-empty': {
    description: 'a payload with an empty event follows generation.done',
    trips: ['webhooks.payload.event'],
    behaviour: withCopy(isEnd, '/event', ''),
  },
  'webhook-time-in-seconds': {
    description: 'timestamps of webhooks are Unix seconds',
    trips: ['webhooks.payload.timestamp'],
    behaviour: withPart(every, '/timestamp', (time: string) => Math.floor(Date.parse(time) / 1000)),
  },
  'webhook-time-without-offset': {
    description: 'timestamps of tool calls have no offset',
    trips: ['webhooks.payload.timestamp'],
    behaviour: withPart(isCall, '/timestamp', (time: string) => time.slice(0, 19)),
  },
  'webhook-time-missing': {
    description: 'generation.done has no timestamp',
    trips: ['webhooks.payload.timestamp'],
    behaviour: withPart(isEnd, '/timestamp', undefined),
  },
  'webhook-time-ahead': {
    description: 'timestamps of generation.done lie an hour ahead',
    trips: ['webhooks.payload.timestamp-true'],
    behaviour: withPart(isEnd, '/timestamp', later(hour)),
  },
  'webhook-time-behind': {
    description: 'timestamps of webhooks lie an hour behind',
    trips: ['webhooks.payload.timestamp-true'],
    behaviour: withPart(every, '/timestamp', later(-hour)),
  },
  'webhook-call-time-behind': {
    description: 'timestamps of tool calls lie an hour behind',
    trips: ['webhooks.payload.timestamp-true'],
    behaviour: withPart(isCall, '/timestamp', later(-hour)),
  },
  'webhook-data-missing': {
    description: 'a payload without data follows generation.done',
    trips: ['webhooks.payload.data'],
    behaviour: withCopy(isEnd, '/data', undefined),
  },
  'webhook-data-null': {
    description: 'a payload with null as data follows generation.done',
    trips: ['webhooks.payload.data'],
    behaviour: withCopy(isEnd, '/data', null),
  },
  'webhook-call-without-id': {
    description: 'what is told of tool calls does not name the call',
    trips: ['webhooks.tool-call.id'],
    behaviour: withPart(isCall, '/data/tool_call_id', undefined),
  },
  'webhook-call-id-other': {
    description: 'webhooks are told another id of a tool call than the answer has',
    trips: ['webhooks.tool-call.id'],
    behaviour: {
      answer: (answer, exchange) =>
        answer.kind === 'completion' && JSON.stringify(asked(exchange).tool_choice ?? '').includes('execute_code')
          ? { ...answer, body: changed(answer.body, '/choices/0', shownCall()) }
          : answer,
    },
  },
  'webhook-call-without-name': {
    description: 'what is told of tool calls does not name the tool',
    trips: ['webhooks.tool-call.name'],
    behaviour: withPart(isCall, '/data/tool_name', undefined),
  },
  'webhook-start-without-name': {
    description: 'the start of a tool call has an empty tool_name',
    trips: ['webhooks.tool-call.name'],
    behaviour: withPart(isStarted, '/data/tool_name', ''),
  },
  'webhook-call-without-time': {
    description: 'a completed tool call does not say how long it took',
    trips: ['webhooks.tool-call.execution-time'],
    behaviour: withPart(isCompleted, '/data/execution_time_ms', undefined),
  },
  'webhook-call-time-in-words': {
    description: 'a completed tool call says how long it took in words',
    trips: ['webhooks.tool-call.execution-time'],
    behaviour: withPart(isCompleted, '/data/execution_time_ms', (ms: number) => `${ms} ms`),
  },
  'webhook-call-without-result': {
    description: 'a completed tool call is told without its result',
    trips: ['webhooks.tool-call.result'],
    behaviour: withPart(isCompleted, '/data/result', undefined),
  },
  'webhook-failure-without-reason': {
    description: 'a failed tool call is told without its error',
    trips: ['webhooks.tool-call.error'],
    behaviour: withPart(isFailed, '/data/error', undefined),
  },
  'webhook-failure-empty': {
    description: 'a failed tool call is told with an empty error',
    trips: ['webhooks.tool-call.error'],
    behaviour: withPart(isFailed, '/data/error', ''),
  },
} as const satisfies Faults;
