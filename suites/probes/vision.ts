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
function imageProbe(id: RequirementId, name: string, ...content: readonly object[]): BoundProbe {
  return defineProbe<Reply>({
    name,
    cost: { requests: 1, tokens: imageTokens },
    act: (target) => target.chat(say(question, ...content)),
    judge: {
      [id]: (reply: Reply, context: Context) => {
        needAnsweredChat(context);
        return expectStatus(reply, 200, 400);
      },
    },
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

/** More than servers take by default (nginx and Fastify 1 MiB, others less), and little enough to send. */
const oversizedBytes = 2 * 2 ** 20;

interface Images {
  readonly plain: Reply;
  readonly detailed: readonly Reply[];
  readonly unknownDetail: Reply;
  readonly broken: Reply;
  readonly oversized: Reply;
}

const images = defineProbe<Images>({
  name: 'images in data URLs: without detail, with the details high, auto and an unknown one, broken, and large',
  cost: { requests: 6, tokens: 6 * imageTokens },
  async act(target) {
    const ask = (url: string, detail?: string) => target.chat(say(question, image(url, detail)));
    const [plain, high, auto, unknownDetail, broken, oversized] = await Promise.all([
      ask(redSquare),
      ask(redSquare, 'high'),
      ask(redSquare, 'auto'),
      ask(redSquare, 'stranger'),
      ask('data:image/png;base64,bm90IGFuIGltYWdl'),
      ask(`data:image/png;base64,${'A'.repeat(oversizedBytes)}`),
    ]);
    return { plain, detailed: [high, auto], unknownDetail, broken, oversized };
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
      needTaken(plain, context);
      const accepted = plain.status === 200 ? [200] : [200, 400];
      return expectEach(detailed, (reply) => expectStatus(reply, ...accepted));
    },
    'vision.detail.unknown': ({ plain, unknownDetail }, context) => {
      needTaken(plain, context);
      return expectStatus(unknownDetail, 200, 400);
    },
    'vision.data-url.broken': ({ plain, broken }, context) => {
      needTaken(plain, context);
      return expectStatus(broken, 200, 400);
    },
    'vision.data-url.oversized': ({ plain, oversized: reply }, context) => {
      needTaken(plain, context);
      const { status } = reply;
      if (reply.failure || status === 429 || status === 503) return expectStatus(reply, 200);
      const holds = status === 200 || (status >= 400 && status < 500);
      return expectThat(reply, 'status', holds, '200, or a status from 400 to 499', status);
    },
  },
});

/** A target that fails on every image in a data URL is told of that once, by `vision.data-url`. */
function needTaken(plain: Reply, context: Context): undefined {
  needAnsweredChat(context);
  expectDecided(plain);
  if (plain.status === 200 || plain.status === 400) return;
  throw new NotApplicable(`a sound image was answered with ${plain.status}, of which vision.data-url tells`);
}

export const visionProbes = [
  textParts,
  imageProbe('vision.image-url', 'a chat with an image by its URL', image('https://example.com/screenshot.png', 'low')),
  imageProbe('vision.data-url', 'a chat with an image in a data URL', image(redSquare)),
  images,
  badParts,
];
