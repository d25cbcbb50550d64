import { chunksOf, deltaText, finishReasons, parseJson } from '../chunks.ts';
import { expectArrived, jsonOf, need, violate } from '../expect.ts';
import { isObject, member } from '../member.ts';
import type { ChatMembers, Client } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { longAnswer } from './prompts.ts';

/** The text of an answer, in one body or streamed; empty where it has none. @throws Inconclusive where it was refused */
export function answerText(reply: Reply): string {
  if (reply.isStream) {
    expectArrived(reply);
    need(reply.status === 200, `the stream was answered with ${reply.status}`);
    return chunksOf(reply).map(deltaText).join('');
  }
  const content = member(jsonOf(reply), 'choices', 0, 'message', 'content') ?? '';
  need(typeof content === 'string', 'the content of the answer is not text');
  return content;
}

/** A body may be trimmed, of which pieces of text know nothing yet. */
export function isTextOf(body: Reply, text: string): boolean {
  return text.trim() === answerText(body).trim();
}

/** @param text what the same request gave in another way */
export function expectSameText(reply: Reply, text: string, body: Reply): undefined {
  const expected = JSON.stringify(answerText(body));
  if (!isTextOf(body, text)) violate(reply, 'text', expected, JSON.stringify(text));
}

/** @throws Inconclusive where a stream holds what is neither JSON nor its end, which may be part of the text */
export function needReadable(stream: Reply): undefined {
  const isReadable = stream.events.every(({ data }) => data === '[DONE]' || isObject(parseJson(data)));
  need(isReadable, 'not every event of the stream could be read');
}

/** @throws Inconclusive where the answer was refused, or does not say why it ended */
export function finishReason(reply: Reply): unknown {
  const reason = reply.isStream ? finishReasons(reply).at(-1) : member(jsonOf(reply), 'choices', 0, 'finish_reason');
  need(reason !== undefined && reason !== null, 'the answer has no finish_reason');
  return reason;
}

/** Completion tokens by the response's own count. @throws Inconclusive where it has none */
export function completionTokens(reply: Reply): number {
  const tokens = member(jsonOf(reply), 'usage', 'completion_tokens');
  need(typeof tokens === 'number' && Number.isInteger(tokens), 'the response does not count its completion tokens');
  return tokens;
}

/** The likeliest long answer, so that chance neither changes it nor ends it early. */
export const sure = { messages: longAnswer, temperature: 0 } as const;

/** Enough for an answer to be cut in two. */
export const someTokens = 24;
/** Enough for a model that thinks before it speaks to begin. */
const manyTokens = 512;

/**
 * The request for a long answer that has text in it, and that answer; asks a second time, with more room, only where
 * the first answer has none.
 * @throws Inconclusive where the second has none either
 */
export async function askForText(
  client: Client,
  members: ChatMembers = {},
): Promise<{ readonly members: ChatMembers; readonly reply: Reply }> {
  for (const max_tokens of [someTokens, manyTokens]) {
    const asked = { ...sure, ...members, max_tokens };
    const reply = await client.chat(asked);
    if (answerText(reply) !== '') return { members: asked, reply };
  }
  need(false, `the answer has no text within ${manyTokens} tokens; choose another model with --model`);
}
