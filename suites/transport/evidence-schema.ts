import { profiles } from '../../specs/profiles.ts';

const text = { type: 'string' };
const time = { type: 'number' };
const count = { type: 'integer', minimum: 0 };
const headers = {
  type: 'array',
  items: { type: 'array', items: text, minItems: 2, maxItems: 2 },
};
const piece = { type: 'object', required: ['at'], properties: { at: time, text, base64: text } };
const place = { probe: text, step: count };

/** A line of an evidence file, as specs/evidence.ts describes it; what later versions add is let through. */
export const evidenceSchema = {
  type: 'object',
  required: ['kind'],
  discriminator: { propertyName: 'kind' },
  oneOf: [
    {
      required: ['format', 'tool', 'startedAt', 'options'],
      properties: {
        kind: { const: 'header' },
        format: text,
        tool: text,
        startedAt: text,
        options: {
          type: 'object',
          required: ['url', 'profile', 'only', 'disabledKey'],
          properties: {
            url: text,
            profile: { enum: Object.keys(profiles) },
            only: { type: 'array', items: text },
            model: text,
            disabledKey: { type: 'boolean' },
            runsTools: text,
            webhookUrl: text,
            maxRequests: count,
            maxTokens: count,
          },
        },
      },
    },
    {
      required: ['probe', 'step', 'request', 'sentAt', 'sentTime', 'endedAt'],
      properties: {
        kind: { const: 'exchange' },
        ...place,
        request: {
          type: 'object',
          required: ['method', 'path', 'credential', 'headers'],
          properties: {
            method: text,
            path: text,
            credential: { enum: ['key', 'none', 'unknown', 'disabled', 'basic'] },
            headers,
            body: text,
          },
        },
        sentAt: time,
        sentTime: time,
        headersAt: time,
        endedAt: time,
        response: {
          type: 'object',
          required: ['status', 'headers', 'pieces'],
          properties: {
            status: count,
            headers,
            pieces: { type: 'array', items: piece },
          },
        },
        failure: {
          type: 'object',
          required: ['kind', 'message'],
          properties: {
            kind: { enum: ['refused', 'tls', 'timeout', 'closed', 'protocol', 'too-large'] },
            message: text,
          },
        },
      },
    },
    {
      required: ['probe', 'step', 'reason'],
      properties: { kind: { const: 'unsent' }, ...place, reason: text },
    },
    {
      required: ['at', 'time', 'method', 'path', 'headers', 'body', 'answered'],
      properties: {
        kind: { const: 'delivery' },
        at: time,
        time,
        method: text,
        path: text,
        headers,
        body: piece,
        answered: count,
      },
    },
    {
      required: ['probe', 'step', 'deliveries'],
      properties: { kind: { const: 'wait' }, ...place, deliveries: count },
    },
  ],
};
