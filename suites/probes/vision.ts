import type { RequirementId } from '../../specs/requirements/index.ts';
import { expectDecided, expectEach, expectStatus, expectThat, NotApplicable, need } from '../expect.ts';
import { type BoundProbe, type Context, defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { needAnsweredChat } from './prerequisites.ts';

/** A red square of 8 by 8 pixels: small, and an image to any decoder. */
const redSquare =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mP4z8CAFTEMLQkAKP8/wc53yE8AAAAASUVORK5CYII=';

const question = { type: 'text', text: 'What does this image show?' };

const image = (url: string, detail?: string) => ({
  type: 'image_url',
  image_url: { url, ...(detail !== undefined && { detail }) },
});

const say = (...content: readonly object[]) => ({ messages: [{ role: 'user', content }] });

/** Prompt and completion of a small question with one image, for models that count images generously. */
const imageTokens = 1_250;

/** The request is answered, or refused as one that the model cannot serve. */
const expectAnsweredOr400 = (reply: Reply, context: Context) => {
  needAnsweredChat(context);
  return expectStatus(reply, 200, 400);
};

function imageProbe(id: RequirementId, name: string, ...content: readonly object[]): BoundProbe {
  return defineProbe<Reply>({
    name,
    cost: { requests: 1, tokens: imageTokens },
    act: (target) => target.chat(say(question, ...content)),
    judge: { [id]: expectAnsweredOr400 },
  });
}

interface Parts {
  readonly text: Reply;
  readonly malformed: Reply;
}

const textParts = defineProbe<Parts>({
  name: 'a chat in text parts, and one with a part that lacks its text',
  cost: { requests: 2, tokens: 120 },
  async act(target) {
    const [text, malformed] = await Promise.all([
      target.chat(say({ type: 'text', text: 'Say' }, { type: 'text', text: 'hello.' })),
      target.chat(say({ type: 'text', text: 'Say hello.' }, { type: 'text' })),
    ]);
    return { text, malformed };
  },
  judge: {
    'vision.text-parts': ({ text }, context) => {
      needAnsweredChat(context);
      return expectStatus(text, 200);
    },
    'vision.part.malformed': ({ text, malformed }) => {
      needRead(text);
      return expectStatus(malformed, 400);
    },
  },
});

/** A target that refuses every list of parts says nothing by refusing a bad one. */
function needRead(parts: Reply): undefined {
  need(parts.status === 200, `text parts were answered with ${parts.status}, so the refusal of others proves nothing`);
}

interface BadParts {
  readonly text: Reply;
  readonly withoutUrl: Reply;
  readonly unknownType: Reply;
}

const badParts = defineProbe<BadParts>({
  name: 'chats with an image part without its URL, and with a part of an unknown type',
  cost: { requests: 3, tokens: 180 },
  async act(target) {
    const [text, withoutUrl, unknownType] = await Promise.all([
      target.chat(say(question)),
      target.chat(say(question, { type: 'image_url', image_url: {} })),
      target.chat(say(question, { type: 'stranger', stranger: 'Hello' })),
    ]);
    return { text, withoutUrl, unknownType };
  },
  judge: {
    'vision.part.without-url': ({ text, withoutUrl }) => {
      needRead(text);
      return expectStatus(withoutUrl, 400);
    },
    'vision.part.unknown-type': ({ text, unknownType }) => {
      needRead(text);
      return expectStatus(unknownType, 400);
    },
  },
});

interface Details {
  readonly plain: Reply;
  readonly detailed: readonly Reply[];
}

const details = defineProbe<Details>({
  name: 'images in data URLs without detail, and with the details high and auto',
  cost: { requests: 3, tokens: 3 * imageTokens },
  async act(target) {
    const [plain, ...detailed] = await Promise.all(
      [undefined, 'high', 'auto'].map((detail) => target.chat(say(question, image(redSquare, detail)))),
    );
    need(plain !== undefined, 'nothing was asked');
    return { plain, detailed };
  },
  judge: {
    'vision.declared': ({ plain }, context) => {
      const { model, models } = context.baseline;
      const sees = models.find(({ id }) => id === model)?.vision;
      if (sees !== true) {
        const declares = sees === false ? 'declares that it has no vision' : 'does not declare whether it has vision';
        throw new NotApplicable(`the model ${declares}`);
      }
      needAnsweredChat(context);
      return expectStatus(plain, 200);
    },
    'vision.detail': ({ plain, detailed }, context) => {
      needAnsweredChat(context);
      expectDecided(plain);
      // A target that fails on every image is told of that where no detail is given.
      const accepted = plain.status === 200 ? [200] : [200, 400, plain.status];
      return expectEach(detailed, (reply) => expectStatus(reply, ...accepted));
    },
  },
});

/** More than servers take by default (nginx and Fastify 1 MiB, others less), and little enough to send. */
const oversizedBytes = 2 * 2 ** 20;

const oversized = defineProbe({
  name: 'a chat with a large image in a data URL',
  cost: { requests: 1, tokens: imageTokens },
  act: (target) => target.chat(say(question, image(`data:image/png;base64,${'A'.repeat(oversizedBytes)}`))),
  judge: {
    'vision.data-url.oversized': (reply, context) => {
      needAnsweredChat(context);
      const { status } = reply;
      if (reply.failure || status === 429 || status === 503) return expectStatus(reply, 200);
      const holds = status === 200 || (status >= 400 && status < 500);
      return expectThat(reply, 'status', holds, '200, or a status from 400 to 499', status);
    },
  },
});

export const visionProbes = [
  textParts,
  imageProbe('vision.image-url', 'a chat with an image by its URL', image('https://example.com/screenshot.png', 'low')),
  imageProbe('vision.data-url', 'a chat with an image in a data URL', image(redSquare)),
  details,
  imageProbe('vision.detail.unknown', 'a chat with an image of an unknown detail', image(redSquare, 'stranger')),
  imageProbe(
    'vision.data-url.broken',
    'a chat with a data URL that holds no image',
    image('data:image/png;base64,bm90IGFuIGltYWdl'),
  ),
  badParts,
  oversized,
];
