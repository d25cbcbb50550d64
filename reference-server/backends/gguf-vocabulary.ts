import type { LlamaModel } from 'node-llama-cpp';

/** How GGUF marks tokens that no text of a user holds. */
const controlType = 3;
/** Tokens that are stored as text and not as the letters that stand for bytes. */
const userDefinedType = 4;

/** What the vocabulary of a model says of any text. */
export interface Vocabulary {
  /** Bytes of the longest token that is not a control token: no text has fewer tokens than its bytes divided by this. */
  readonly longestToken: number;
  /** Whether its tokens are made of pairs of bytes by rank alone, so that nothing around a text changes them. */
  readonly isBytePair: boolean;
  /** Whether texts may be cut where {@link slicesOf} cuts: no token reaches over there. */
  readonly hasSeams: boolean;
}

export function vocabularyOf({ fileInfo }: LlamaModel): Vocabulary {
  const { model, tokens, token_type: types } = fileInfo.metadata.tokenizer.ggml;
  const isBytePair = model === 'gpt2';
  const written = tokens.flatMap((text, id) => (Number(types[id]) === controlType ? [] : [{ text, type: types[id] }]));
  const bytesOf = ({ text, type }: (typeof written)[number]): number =>
    isBytePair && Number(type) !== userDefinedType ? text.length : Buffer.byteLength(text);
  return {
    longestToken: written.reduce((longest, token) => Math.max(longest, bytesOf(token)), 1),
    isBytePair,
    // In these vocabularies Ġ stands for the space.
    hasSeams: isBytePair && written.every(({ text }) => !/[a-z][Ġ ]/i.test(text)),
  };
}

const seam = /[a-z](?= [a-z])/gi;

/**
 * Cuts a text into slices of about so many characters: between a letter and a space before another letter, which is where
 * words begin for every tokenizer of byte pairs. A text without such a place stays whole.
 */
export function* slicesOf(text: string, length: number): Generator<string> {
  let begun = 0;
  while (text.length - begun > length) {
    seam.lastIndex = begun + length;
    const found = seam.exec(text);
    if (found === null) break;
    yield text.slice(begun, found.index + 1);
    begun = found.index + 1;
  }
  yield text.slice(begun);
}
