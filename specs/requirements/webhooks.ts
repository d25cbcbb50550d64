import type { RequirementTable } from '../requirement.ts';

const event = { level: 'MUST', profile: 'webhooks', source: 'webhooks', need: 'webhook-listener' } as const;
const payload = { ...event, source: 'webhooks/payload' } as const;

const subscribed =
  'judged once the target delivered anything; the run asks its operator to subscribe to all four events, and waits as long as --timeout says, since no time is stated';
const shown = 'the example shows it';
const convention = 'nothing is said of how deliveries travel';

export const webhookRequirements = {
  'webhooks.generation.done': {
    ...event,
    statement: 'the end of every chat, in one body or streamed, is told by an event generation.done',
    reading: subscribed,
  },
  'webhooks.generation.identified': {
    ...payload,
    level: 'MAY',
    statement: 'data of generation.done holds the id of the chat that ended',
    reading: 'only the data of a tool call is shown; without the id a receiver cannot tell which chat ended',
  },
  'webhooks.event.known': {
    ...event,
    level: 'SHOULD',
    statement: 'event of every delivery is one of the four that the configuration names',
    reading: 'the configuration subscribes to four events; that there are no others is not said',
  },
  'webhooks.tool-call.started': {
    ...event,
    capability: 'tools',
    statement: 'every tool call that is told as completed or failed is told as started, too',
    reading: subscribed,
  },
  'webhooks.tool-call.ended': {
    ...event,
    capability: 'tools',
    statement: 'every tool call that is told as started is told either as completed or as failed, not as both',
    reading: subscribed,
  },
  'webhooks.tool-call.order': {
    ...event,
    capability: 'tools',
    level: 'SHOULD',
    statement: 'by their timestamps no tool call ends before it started, nor after the generation.done of its chat',
    reading:
      'no order is stated; the names of the events say it. Deliveries may overtake each other, timestamps may not',
  },
  'webhooks.delivery.order': {
    ...event,
    level: 'MAY',
    statement: 'the events of a tool call, and the generation.done of its chat, arrive in their order',
    reading: 'deliveries are asynchronous and no order is stated; reported for receivers that rely on it',
  },
  'webhooks.delivery.once': {
    ...event,
    level: 'MAY',
    statement: 'a delivery that was answered with 200 does not come again',
    reading: `${convention}; many senders promise at least one delivery, so that a second one is only reported`,
  },
  'webhooks.delivery.retried': {
    ...event,
    level: 'MAY',
    statement: 'a delivery that was answered with 503 comes again',
    reading: `${convention}, nor of what becomes of one that fails; reported for receivers that rely on it`,
  },
  'webhooks.delivery.signed': {
    ...event,
    level: 'MAY',
    statement: 'every delivery carries a signature in a header whose name says so',
    reading: `${convention}; a signature tells a receiver who sent it, so its absence is reported`,
  },
  'webhooks.delivery.method': {
    ...payload,
    level: 'SHOULD',
    statement: 'every delivery is a POST request whose body is labelled application/json',
    reading: `${convention}; receivers of webhooks take POST, and read JSON by its label`,
  },
  'webhooks.payload.json': { ...payload, statement: 'the body of every delivery is a JSON object', reading: shown },
  'webhooks.payload.event': {
    ...payload,
    statement: 'event of every delivery is a string that is not empty',
    reading: shown,
  },
  'webhooks.payload.timestamp': {
    ...payload,
    statement: 'timestamp of every delivery is a date and time with its offset (RFC 3339)',
    reading: `${shown} in UTC and whole seconds; another offset and fractions are the same format`,
  },
  'webhooks.payload.timestamp-true': {
    ...payload,
    level: 'SHOULD',
    statement: 'timestamp of a delivery lies between the chat that led to it and its arrival',
    reading:
      'its meaning is not stated, but the time of an event is useless when it is not true; clocks may differ by 5 seconds',
  },
  'webhooks.payload.data': { ...payload, statement: 'data of every delivery is an object', reading: shown },
  'webhooks.tool-call.id': {
    ...payload,
    capability: 'tools',
    statement:
      'data.tool_call_id of a tool call is a string that is not empty, the id of the call where the answer shows it',
    reading: 'the same id stands in the tool call, its response and the payload of the document',
  },
  'webhooks.tool-call.name': {
    ...payload,
    capability: 'tools',
    statement: 'data.tool_name of every event of a tool call is a string that is not empty',
    reading: shown,
  },
  'webhooks.tool-call.execution-time': {
    ...payload,
    capability: 'tools',
    statement: 'data.execution_time_ms of a completed tool call is a number of at least 0',
    reading: shown,
  },
  'webhooks.tool-call.result': {
    ...payload,
    capability: 'tools',
    statement: 'data of a completed tool call has a member result',
    reading: `${shown} as text; a tool may give back any JSON value`,
  },
  'webhooks.tool-call.error': {
    ...payload,
    capability: 'tools',
    level: 'SHOULD',
    source: 'webhooks',
    statement: 'data of a failed tool call says in error, a string that is not empty, why it failed',
    reading: 'no payload of a failure is shown; the response of a tool says it in error',
  },
} as const satisfies RequirementTable;
