import { ApiError } from '../api-error.ts';
import type { Behaviour } from '../behaviour.ts';
import { asked, isObject, type Members, membersOf } from '../change.ts';
import { accepting, deciding, refusing } from './checks.ts';
import type { Faults } from './fault.ts';

const someMessage = [{ role: 'user', content: 'Hello' }];
const largeUrl = 100_000;

/** The parts of all messages of a chat. */
function partsIn(messages: unknown): readonly Members[] {
  const list: readonly unknown[] = Array.isArray(messages) ? messages : [];
  return list.flatMap((message) => {
    const { content } = membersOf(message);
    return Array.isArray(content) ? content.map(membersOf) : [];
  });
}

/** Whether a chat holds an image of this kind. */
const anImage =
  (holds: (image: { readonly url: string; readonly detail: unknown }) => boolean) => (messages: unknown) =>
    partsIn(messages).some(({ image_url: image }) => {
      if (!isObject(image) || typeof image.url !== 'string') return false;
      return holds({ url: image.url, detail: image.detail });
    });

const aPart = (holds: (part: Members) => boolean) => (messages: unknown) => partsIn(messages).some(holds);

/** The server fails on an image instead of answering or refusing it. */
const failing = (image: (messages: unknown) => boolean): Behaviour =>
  deciding(
    'body',
    (exchange) => image(asked(exchange).messages),
    new ApiError('internal_error', 'the server failed to answer this request'),
  );

const knownDetail = (detail: unknown) => ['low', 'high', 'auto', undefined].some((known) => known === detail);
const isImage = (url: string) => url.startsWith('data:image/png;base64,iVBOR');

export const visionFaults = {
  'text-parts-refused': {
    description: 'a content of several text parts is refused',
    trips: ['vision.text-parts'],
    behaviour: refusing('messages', (messages) => {
      const parts = partsIn(messages);
      return parts.length > 1 && parts.every(({ text }) => typeof text === 'string');
    }),
  },
  'image-url-fails': {
    description: 'an image by its URL is answered with 500',
    trips: ['vision.image-url'],
    behaviour: failing(anImage(({ url }) => url.startsWith('https:'))),
  },
  'data-url-fails': {
    description: 'an image in a data URL is answered with 500',
    trips: ['vision.data-url', 'vision.declared'],
    behaviour: failing(anImage(({ url, detail }) => isImage(url) && detail === undefined)),
  },
  'declared-vision-lacking': {
    description: 'a model that says that it has vision refuses every image',
    trips: ['vision.declared'],
    behaviour: refusing(
      'messages',
      anImage(() => true),
    ),
  },
  'high-detail-refused': {
    description: 'an image with the detail high is refused',
    trips: ['vision.detail'],
    behaviour: refusing(
      'messages',
      anImage(({ detail }) => detail === 'high'),
    ),
  },
  'unknown-detail-fails': {
    description: 'an image with an unknown detail is answered with 500',
    trips: ['vision.detail.unknown'],
    behaviour: failing(anImage(({ detail }) => !knownDetail(detail))),
  },
  'broken-image-fails': {
    description: 'data that is no image is answered with 500',
    trips: ['vision.data-url.broken'],
    behaviour: failing(anImage(({ url }) => url.startsWith('data:') && !isImage(url) && url.length < largeUrl)),
  },
  'large-image-fails': {
    description: 'a large image is answered with 500',
    trips: ['vision.data-url.oversized'],
    behaviour: failing(anImage(({ url }) => url.length >= largeUrl)),
  },
  'part-without-text-accepted': {
    description: 'a text part may lack its text',
    trips: ['vision.part.malformed'],
    behaviour: accepting(
      'messages',
      aPart(({ type, text }) => type === 'text' && text === undefined),
      someMessage,
    ),
  },
  'image-without-url-accepted': {
    description: 'an image part may lack its URL',
    trips: ['vision.part.without-url'],
    behaviour: accepting(
      'messages',
      aPart(({ type, image_url: image }) => type === 'image_url' && membersOf(image).url === undefined),
      someMessage,
    ),
  },
  'unknown-part-accepted': {
    description: 'a part may have any type',
    trips: ['vision.part.unknown-type'],
    behaviour: accepting(
      'messages',
      aPart(({ type }) => type === 'stranger'),
      someMessage,
    ),
  },
} as const satisfies Faults;
