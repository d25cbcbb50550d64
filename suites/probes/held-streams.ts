import type { RunOptions } from '../../specs/evidence.ts';
import { chunksOf } from '../chunks.ts';
import { expectArrived, need } from '../expect.ts';
import { limitHeader } from '../limit-headers.ts';
import type { Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { sure } from './answer.ts';
import { needTokens } from './refusal.ts';
import { tierLimits } from './tier.ts';
import { opening } from './waiting.ts';

/** Long enough to be under way together. */
export const longTokens = 300;
/** More streams than of the Pro tier are held only where the run's own bound allows it. */
export const mostStreams = 21;
/** What a stream may still be on its way when the target is done with it, in milliseconds. */
export const graceMs = 250;

/** Chats that the key may run at the same time. @throws Inconclusive where that is not known, or takes too much */
export function needConcurrent(target: Target): number {
  const most = concurrentOf(target.options);
  need(most !== undefined, 'needs how many chats the key may run at a time: give --tier free or pro, or --concurrent');
  need(
    most < mostStreams || target.options.maxTokens !== undefined,
    `takes ${most + 1} streams of ${longTokens} tokens: allow them with --max-tokens`,
  );
  return most;
}

function concurrentOf({ tier, concurrent }: RunOptions): number | undefined {
  return concurrent ?? (tier && tierLimits[tier]?.concurrent);
}

/** Waits for a window in which so many requests are left: a refusal is then not one of the request limit. */
export async function needRoom(target: Target, requests: number): Promise<undefined> {
  let reply = await target.chat({ max_tokens: 1 });
  const notBefore = opening(reply);
  const isShort = () => (limitHeader(reply, 'remaining') ?? requests) < requests;
  if (isShort() && notBefore !== undefined) reply = await target.chat({ max_tokens: 1 }, { notBefore });
  need(reply.status === 200, `a chat before it was answered with ${reply.status}`);
  need(!isShort(), `the limit on requests leaves no room for ${requests} of them`);
}

/** As many tokens as a stream is to be held for, and as fit the model. */
export function tokensHeld({ baseline: { models, model } }: Target): number {
  const window = models.find(({ id }) => id === model)?.contextWindow ?? Infinity;
  return Math.min(longTokens, Math.floor(window / 2));
}

export function hold(target: Target, max_tokens: number): Promise<Reply> {
  return target.chat({ ...sure, max_tokens, stream: true }, { unpaced: true, atOnce: true });
}

/** @throws Inconclusive where a stream was not answered at all, or broke off, or the tokens of the day ran out */
export function sorted(streams: readonly Reply[]) {
  streams.forEach(expectArrived);
  streams.forEach(needTokens);
  return {
    admitted: streams.filter(({ status }) => status === 200),
    refused: streams.filter(({ status }) => status !== 200),
  };
}

/** When the first piece of a stream came. */
export function startOf(reply: Reply): number {
  return (chunksOf(reply).length > 0 ? reply.events[0]?.at : undefined) ?? reply.exchange.endedAt;
}

export function endOf({ exchange }: Reply): number {
  return exchange.endedAt;
}
