import { isUtf8 } from 'node:buffer';
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import type { BodyPiece } from '../specs/evidence.ts';

export interface DecodedBody {
  /** Where `problem` is about UTF-8, with U+FFFD in place of what is not; empty where nothing could be decompressed. */
  readonly text: string;
  /** Why the body is not text, in one line. */
  readonly problem?: string;
}

/** Bytes that a compressed body may grow to. */
const outputLimit = 16 * 2 ** 20;

/** The exact bytes that a piece recorded. */
export function bytesOf({ text, base64 }: BodyPiece): Buffer {
  return base64 === undefined ? Buffer.from(text ?? '') : Buffer.from(base64, 'base64');
}

/**
 * The text of a body. One byte order mark at its start is dropped: RFC 8259 forbids to send it and allows to ignore it.
 * @param contentEncoding value of the header, if there is one
 */
export function decodeBody(pieces: readonly BodyPiece[], contentEncoding: string | undefined): DecodedBody {
  let bytes: Buffer = Buffer.concat(pieces.map(bytesOf));
  const codings = (contentEncoding ?? '').split(',').map((coding) => coding.trim().toLowerCase());
  for (const coding of codings.reverse()) {
    if (coding === '' || coding === 'identity' || bytes.length === 0) continue;
    const decompress = decompressors[coding];
    if (!decompress)
      return { text: '', problem: `content-encoding ${JSON.stringify(coding)} was not asked for and cannot be read` };
    try {
      bytes = decompress(bytes, { maxOutputLength: outputLimit });
    } catch (error) {
      return { text: '', problem: decompressionProblem(coding, error) };
    }
  }
  const text = new TextDecoder().decode(bytes);
  return isUtf8(bytes) ? { text } : { text, problem: utf8Problem(bytes) };
}

type Decompress = (bytes: Buffer, options: { readonly maxOutputLength: number }) => Buffer;

const decompressors: Readonly<Record<string, Decompress>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  br: brotliDecompressSync,
  // Some servers send the bare stream instead of the zlib format that the name stands for.
  deflate: (bytes, options) => ((bytes[0] ?? 0) % 16 === 8 ? inflateSync : inflateRawSync)(bytes, options),
};

function decompressionProblem(coding: string, error: unknown): string {
  const tooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
  return tooLarge
    ? `the ${coding} body unpacks to more than ${outputLimit} bytes`
    : `the body is not valid ${coding} data`;
}

/** Finds the place by halving: a streaming decoder throws for a prefix exactly when it holds a bad byte. */
function utf8Problem(bytes: Buffer): string {
  let sound = 0;
  let length = bytes.length + 1;
  while (length - sound > 1) {
    const middle = (sound + length) >>> 1;
    if (isSoundPrefix(bytes.subarray(0, middle))) sound = middle;
    else length = middle;
  }
  if (sound === bytes.length) return `not valid UTF-8: the body ends inside a character, after ${sound} bytes`;
  const byte = bytes[sound] ?? 0;
  return `not valid UTF-8 at byte ${sound} (0x${byte.toString(16).padStart(2, '0')})`;
}

function isSoundPrefix(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
