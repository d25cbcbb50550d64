import { isUtf8 } from 'node:buffer';
import type { BodyPiece, HeaderList, RecordedResponse } from '../../specs/evidence.ts';
import { decodeBody } from '../body.ts';
import { unknownKey } from './credentials.ts';
import type { RawExchange, RawPiece } from './exchange.ts';

const masked = '[masked]';

/**
 * Shorter than this a key is a dummy, and may well be a word of the API ("stop", "model"): to mask it everywhere
 * would change what is judged. It is masked in the header that carries it, and behind the name of its scheme.
 */
export const shortestSecret = 8;

const secretHeader = /authorization|cookie|key|token|secret|password|credential|session/i;

/** Hides secrets in everything that is recorded. */
export interface Mask {
  text(text: string): string;
  requestHeaders(headers: HeaderList): HeaderList;
  response(response: NonNullable<RawExchange['response']>): RecordedResponse;
  /** One message of a socket. */
  piece(piece: RawPiece): BodyPiece;
}

/** The values of headers that look like secrets by their names, to be masked wherever else they appear. */
export function secretsIn(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers)
    .filter(([name]) => secretHeader.test(name))
    .flatMap(([, value]) => [value, value.replace(/^(Bearer|Basic) /i, '')]);
}

/** @param secrets in plain form; their escaped and encoded forms are masked too */
export function openMask(secrets: readonly string[]): Mask {
  const forms = [...new Set(secrets.flatMap(formsOf))];
  // A form that holds another one goes first, so that nothing of it is left over.
  forms.sort((one, other) => other.length - one.length);
  const inBytes = forms.map((form) => Buffer.from(form));
  const text = (plain: string) => forms.reduce((rest, form) => rest.replaceAll(form, masked), plain);
  return {
    text,
    requestHeaders: (headers) =>
      headers.map(([name, value]) => [name, secretHeader.test(name) ? hide(value) : text(value)]),
    piece: (piece) => maskedPieces([piece], inBytes)[0] ?? { at: piece.at },
    response({ status, headers, pieces }) {
      return {
        status,
        ...maskedBody(
          headers.map(([name, value]) => [name, text(value)]),
          pieces,
          inBytes,
          text,
        ),
      };
    },
  };
}

function formsOf(secret: string): string[] {
  if (secret === '') return [];
  if (secret.length < shortestSecret) return [`Bearer ${secret}`, `Basic ${secret}`];
  const bytes = Buffer.from(secret);
  const basic = Buffer.from(`${secret}:`);
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    ...(['base64', 'base64url'] as const).flatMap((encoding) => [bytes.toString(encoding), basic.toString(encoding)]),
  ];
}

function hide(value: string): string {
  if (value === `Bearer ${unknownKey}`) return value;
  return `${/^(?:Bearer|Basic) /i.exec(value)?.[0] ?? ''}${masked}`;
}

function maskedBody(
  headers: HeaderList,
  pieces: readonly RawPiece[],
  forms: readonly Buffer[],
  text: (plain: string) => string,
): Pick<RecordedResponse, 'headers' | 'pieces'> {
  const coding = headers.find(([name]) => name.toLowerCase() === 'content-encoding');
  const recorded = maskedPieces(pieces, forms);
  const last = pieces.at(-1);
  if (!coding || !last) return { headers, pieces: recorded };
  const decoded = decodeBody(recorded, coding[1]).text;
  if (text(decoded) === decoded) return { headers, pieces: recorded };
  // A secret inside compressed bytes: the plain body takes their place, and loses the label that no longer fits.
  return { headers: headers.filter((header) => header !== coding), pieces: [{ at: last.at, text: text(decoded) }] };
}

/** A secret that spans pieces is replaced in the piece in which it begins. */
function maskedPieces(pieces: readonly RawPiece[], forms: readonly Buffer[]): BodyPiece[] {
  const spans = spansOf(Buffer.concat(pieces.map(({ bytes }) => bytes)), forms);
  let offset = 0;
  return pieces.map(({ at, bytes }) => {
    const rest = spans.length === 0 ? bytes : cut(bytes, offset, spans);
    offset += bytes.length;
    return isUtf8(rest) ? { at, text: rest.toString() } : { at, base64: rest.toString('base64') };
  });
}

type Span = readonly [start: number, end: number];

function spansOf(bytes: Buffer, forms: readonly Buffer[]): Span[] {
  const spans: Span[] = [];
  for (const form of forms) {
    for (let at = bytes.indexOf(form); at >= 0; at = bytes.indexOf(form, at + form.length)) {
      const end = at + form.length;
      if (!spans.some(([from, to]) => at < to && from < end)) spans.push([at, end]);
    }
  }
  return spans.sort(([one], [other]) => one - other);
}

function cut(bytes: Buffer, offset: number, spans: readonly Span[]): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (const [start, end] of spans) {
    if (end <= offset || start >= offset + bytes.length) continue;
    parts.push(bytes.subarray(from, Math.max(start - offset, 0)));
    if (start >= offset) parts.push(Buffer.from(masked));
    from = end - offset;
  }
  return Buffer.concat([...parts, bytes.subarray(from)]);
}
