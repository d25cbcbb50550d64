import type { WebhookPayload } from '../../specs/wire.ts';
import type { Behaviour } from '../behaviour.ts';
import { changed, membersOf } from '../change.ts';
import type { Dialects } from './dialect.ts';

const withPart = (pointer: string, to: unknown): Behaviour => ({
  tell: (payload) => [changed(payload, pointer, to) as WebhookPayload],
});

const inOffset = (timestamp: string) =>
  new Date(Date.parse(timestamp) + 2 * 3_600_000).toISOString().replace('Z', '+02:00');

export const webhookDialects = {
  'webhook-time-in-whole-seconds': {
    description: 'timestamps of webhooks are in whole seconds, as in the example',
    behaviour: withPart('/timestamp', (timestamp: string) => `${timestamp.slice(0, 19)}Z`),
  },
  'webhook-time-in-offset': {
    description: 'timestamps of webhooks are in another time zone, with fractions',
    behaviour: withPart('/timestamp', inOffset),
  },
  'webhook-result-json': {
    description: 'the result of a tool call is an object',
    behaviour: withPart('/data/result', (result: unknown) => ({ stdout: result, exit_code: 0 })),
  },
  'webhook-result-null': {
    description: 'a tool call has nothing as its result, in a time with a fraction',
    behaviour: {
      tell: (payload) =>
        payload.event === 'tool_call.completed'
          ? [{ ...payload, data: { ...payload.data, result: null, execution_time_ms: 0.25 } }]
          : [payload],
    },
  },
  'webhook-id-inside': {
    description: 'generation.done holds the id of its chat in an object',
    behaviour: {
      tell: ({ data, ...payload }) =>
        payload.event === 'generation.done' ? [{ ...payload, data: { generation: data } }] : [{ ...payload, data }],
    },
  },
  'webhook-members-unknown': {
    description: 'payloads of webhooks have members that the document does not know',
    behaviour: {
      tell: (payload) => [
        changed({ ...payload, id: 'evt_29', api_version: '1.0' }, '/data', (data: unknown) => ({
          ...membersOf(data),
          extra: { nested: [1, null, true] },
        })) as WebhookPayload,
      ],
    },
  },
  'webhook-labelled-with-charset': {
    description: 'deliveries name their charset, and carry headers that the document does not know',
    behaviour: {
      deliver: (delivery) => ({
        ...delivery,
        headers: {
          ...delivery.headers,
          'Content-Type': 'application/json; charset=utf-8',
          'User-Agent': 'stack29',
          'X-Stack29-Event': 'event',
        },
      }),
    },
  },
  'webhook-signed-otherwise': {
    description: 'deliveries are signed in a header of another name',
    behaviour: {
      deliver({ headers: { 'webhook-signature': signature = '', ...headers }, ...delivery }) {
        return { ...delivery, headers: { ...headers, 'X-Stack29-Signature-256': signature } };
      },
    },
  },
  'webhook-json-indented': {
    description: 'payloads of webhooks are indented',
    behaviour: {
      deliver: (delivery) => ({ ...delivery, body: JSON.stringify(JSON.parse(delivery.body), null, 2) }),
    },
  },
} as const satisfies Dialects;
