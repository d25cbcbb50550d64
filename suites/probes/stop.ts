import { expectEqual, Inconclusive, need, violate } from '../expect.ts';
import type { Reply } from '../reply.ts';
import { answerText, finishReason } from './answer.ts';

/** What the same request gave without and with a stop sequence that is a piece of the first answer. */
export interface Stopped {
  readonly piece: string;
  /** The answer without the stop sequence. */
  readonly whole: string;
  readonly reply: Reply;
}

/**
 * A piece of a text that is fit to stop at: it lies past the beginning, occurs there first, and neither begins nor
 * ends in white space, which servers trim. Near the middle, so that an ignored stop shows.
 */
export function stopPiece(text: string): string | undefined {
  const middle = Math.floor(text.length / 2);
  for (let distance = 0; distance < middle; distance += 1) {
    for (const start of [middle - distance, middle + distance]) {
      for (const length of [3, 2, 1]) {
        const piece = text.slice(start, start + length);
        // Printable ASCII only: half a character, or one that was put in for broken bytes, cannot be asked for.
        if (
          piece.length === length &&
          /^[!-~]([ -~]*[!-~])?$/.test(piece) &&
          start > 0 &&
          text.indexOf(piece) === start &&
          start + length < text.length
        ) {
          return piece;
        }
      }
    }
  }
  return undefined;
}

/** @throws Inconclusive where the answer holds nothing to stop at. */
export function needStopPiece(text: string): string {
  const piece = stopPiece(text);
  need(piece !== undefined, 'the answer holds no piece that can serve as a stop sequence');
  return piece;
}

/** Whether the stop sequence ended the answer, in either legal form: with or without the sequence itself. */
function stopped({ piece, whole, reply }: Stopped): boolean {
  const upTo = whole.slice(0, whole.indexOf(piece));
  const content = answerText(reply).trimEnd();
  return content === upTo.trimEnd() || content === (upTo + piece).trimEnd();
}

export function expectStopped(seen: Stopped): undefined {
  if (stopped(seen)) return;
  const { piece, whole, reply } = seen;
  const content = answerText(reply);
  const upTo = whole.slice(0, whole.indexOf(piece));
  if (!content.startsWith(upTo + piece)) {
    throw new Inconclusive('the target does not repeat its answer at temperature 0, so a stop cannot be forced');
  }
  violate(reply, 'content', `ends at ${JSON.stringify(piece)}: ${JSON.stringify(upTo)}`, JSON.stringify(content));
}

export function expectStopReason(seen: Stopped): undefined {
  need(stopped(seen), 'the stop sequence did not end the answer');
  return expectEqual(seen.reply, 'finish_reason', finishReason(seen.reply), 'stop');
}

export function expectStopExcluded(seen: Stopped): undefined {
  need(stopped(seen), 'the stop sequence did not end the answer');
  const { piece, reply } = seen;
  const content = answerText(reply);
  if (content.includes(piece)) violate(reply, 'content', `without ${JSON.stringify(piece)}`, JSON.stringify(content));
}
