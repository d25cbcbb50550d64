import { expectThat, need } from '../expect.ts';
import { limitHeader } from '../limit-headers.ts';
import { defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { isFromTarget, refusedForNow } from '../socket.ts';
import { needExhaustedKey, needKeyKnown } from './prerequisites.ts';
import { isForTokens } from './refusal.ts';
import { proof } from './socket-parts.ts';
import { findPlace, placeCost, startText, talk } from './socket-place.ts';
import { generated, isClose, isKeyRefused, needProof } from './socket-turns.ts';

interface Spent {
  /** A chat in one body, with the same key. */
  readonly chat: Reply;
  readonly socket: Reply;
}

export const sharedTokens = defineProbe<Spent>({
  name: 'a start over a socket with a key whose tokens of the day are used up',
  cost: { requests: placeCost.requests + 3, tokens: placeCost.tokens + 400 },
  exclusive: true,
  async act(target) {
    needExhaustedKey(target);
    const place = await findPlace(target);
    const dialog = [{ send: startText(target, place) }, { await: ['done', 'error'] }, ...proof];
    const options = { credential: 'exhausted', unpaced: true } as const;
    return { chat: await target.chat({}, options), socket: await talk(target, place, dialog, options) };
  },
  judge: {
    'limits.shared.tokens': ({ chat, socket }) => {
      need(
        chat.status === 429,
        `the same key was answered with ${chat.status} over REST, so its tokens are not used up`,
      );
      const isKnown = isForTokens(chat) || (limitHeader(chat, 'remaining') ?? 0) > 0;
      need(isKnown, 'the 429 over REST may be for its requests; try again in a minute');
      needKeyKnown(socket);
      need(!isKeyRefused(socket), 'the key was refused as such: give one that is valid and used up');
      const begun = generated(socket);
      expectThat(socket, 'answer to a start', !begun, 'an error message, a close or a 429', 'a generation');
      if (socket.status === 429 || refusedForNow(socket.messages)) return;
      const told = socket.messages.some((message) => isFromTarget(message, 'error') || isClose(message));
      if (!told) needProof(socket, socket.messages, 'the start');
    },
  },
});
