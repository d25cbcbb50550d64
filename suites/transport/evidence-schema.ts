import { capabilities } from '../../specs/capabilities.ts';
import { profiles } from '../../specs/profiles.ts';

const text = { type: 'string' };
const time = { type: 'number' };
const count = { type: 'integer', minimum: 0 };
const headers = {
  type: 'array',
  items: { type: 'array', items: text, minItems: 2, maxItems: 2 },
};
const failure = {
  type: 'object',
  required: ['kind', 'message'],
  properties: {
    kind: { enum: ['refused', 'tls', 'timeout', 'closed', 'protocol', 'too-large'] },
    message: text,
  },
};
const demand = { enum: ['500', '503', '422', 'cut-stream'] };
const credential = { enum: ['key', 'none', 'unknown', 'disabled', 'exhausted', 'basic'] };
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
            without: { type: 'array', items: { enum: capabilities } },
            model: text,
            disabledKey: { type: 'boolean' },
            runsTools: text,
            exhaustedKey: { type: 'boolean' },
            demands: { type: 'array', items: demand },
            tier: { enum: ['free', 'pro', 'enterprise'] },
            concurrent: count,
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
            credential,
            demand,
            headers,
            body: text,
            dialog: { type: 'array', items: { type: 'object' } },
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
        socket: {
          type: 'object',
          required: ['frames'],
          properties: {
            frames: {
              type: 'array',
              items: {
                type: 'object',
                required: ['at', 'from', 'opcode'],
                properties: {
                  at: time,
                  from: { enum: ['suite', 'target'] },
                  opcode: { enum: ['text', 'binary', 'close', 'ping', 'pong'] },
                  code: count,
                  text,
                  base64: text,
                },
              },
            },
            failure,
          },
        },
        failure,
      },
    },
    {
      required: ['probe', 'client', 'requests', 'facts'],
      properties: {
        kind: { const: 'client' },
        probe: text,
        client: { enum: ['openai-js', 'openai-python', 'langchain', 'curl'] },
        requests: {
          type: 'array',
          items: {
            type: 'object',
            required: ['case', 'method', 'path', 'credential'],
            properties: { case: text, method: text, path: text, credential, body: text },
          },
        },
        facts: {
          type: 'array',
          items: {
            type: 'object',
            required: ['case'],
            properties: {
              case: text,
              error: {
                type: 'object',
                required: ['class', 'message'],
                properties: { class: text, message: text },
              },
            },
          },
        },
        problem: text,
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
