import { ApiError } from '../api-error.ts';
import type { Behaviour } from '../behaviour.ts';
import { asked, changed, inBody, inTurn, isObject, membersOf } from '../change.ts';
import { accepting, deciding } from '../faults/checks.ts';
import type { Dialects } from './dialect.ts';

const seeing = (vision: boolean | undefined) =>
  inTurn(inBody('models', '/data/0/capabilities/vision', vision), inBody('model', '/capabilities/vision', vision));

const text = (messages: unknown) => JSON.stringify(messages) ?? '';

const withoutImages: Behaviour = {
  decide: (refusal, step, exchange) => {
    const image = step === 'body' && text(asked(exchange).messages).includes('"image_url":{"url"');
    return image ? new ApiError('invalid_request', 'this model has no vision', { param: 'messages' }) : refusal;
  },
};

/** Takes every content part for what it can read of it. */
const plainText = (messages: unknown) => {
  const list: readonly unknown[] = Array.isArray(messages) ? messages : [];
  return list.map((message) => {
    const { content } = membersOf(message);
    if (!Array.isArray(content)) return message;
    return changed(message, '/content', content.map((part) => membersOf(part).text ?? '[image]').join(' '));
  });
};

/** Whether every part of a chat is one that the API knows. */
const wellFormed = (messages: unknown) => /"image_url":\{"url"/.test(text(messages));

export const visionDialects = {
  'vision-lacking': {
    description: 'the model says that it has no vision, and images are refused with 400',
    behaviour: { ...seeing(false), ...withoutImages },
  },
  'vision-not-declared': {
    description: 'capabilities say nothing of vision, as in the document, and images are refused with 400',
    behaviour: { ...seeing(undefined), ...withoutImages },
  },
  'images-all-accepted': {
    description: 'every image is answered: by URL, of an unknown detail, broken and large',
    behaviour: {
      body: (body) => (isObject(body) && wellFormed(body.messages) ? changed(body, '/messages', plainText) : body),
    },
  },
  'image-detail-ignored': {
    description: 'a detail that nobody knows counts as none',
    behaviour: accepting('messages', (messages) => text(messages).includes('"detail":"stranger"'), [
      { role: 'user', content: 'Hello' },
    ]),
  },
  'large-body-413': {
    description: 'a body of more than 1 MiB is refused with 413',
    behaviour: deciding(
      'body',
      (exchange) => text(asked(exchange).messages).length > 2 ** 20,
      new ApiError('invalid_request', 'the body is larger than this server accepts', { status: 413 }),
    ),
  },
} as const satisfies Dialects;
