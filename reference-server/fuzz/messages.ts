import fc from 'fast-check';
import { chatValues, damaged } from './bodies.ts';

/** What is sent on an open socket in one go: a message of text or of bytes, or bytes that are no frame. */
export interface Frame {
  readonly kind: 'text' | 'binary' | 'broken';
  readonly data: Buffer;
  /** A message in two frames. */
  readonly split?: true;
}

/** What is said on one socket, in this order. Bytes that are no frame come last, since they end it. */
export interface SocketStimulus {
  readonly frames: readonly Frame[];
}

const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '');

const control = fc
  .constantFrom<unknown>(
    ...[{ type: 'ping' }, { type: 'stop' }, { type: 'ping', nonce: 29 }, { type: 'stop', type_: 'start' }],
    ...[
      {},
      { type: 'done' },
      { type: 'Start' },
      { type: null },
      { type: ['start'] },
      { type: '__proto__' },
      { type: 29 },
    ],
    ...[[], [{ type: 'ping' }], null, 0, '', 'ping', true],
  )
  .map(bytesOf);

const notJson = fc
  .constantFrom('', ' ', '{', '{"type":"start"', '\ufeff{"type":"ping"}', "{'type':'ping'}", 'NaN', '[DONE]')
  .map((text) => Buffer.from(text));

/** Frames that break the protocol by themselves, whatever follows. */
const broken = fc.oneof(
  fc.constantFrom(
    // Without a mask; of an opcode that is none; a continuation of nothing; a ping in two frames, and one that is long.
    ...[
      [0x81, 0x02, 0x68, 0x69],
      [0x83, 0x80, 0, 0, 0, 0],
      [0x80, 0x80, 0, 0, 0, 0],
      [0x09, 0x80, 0, 0, 0, 0],
    ],
    ...[
      [0x89, 0xfe, 0x00, 0x7e, 0, 0, 0, 0],
      [0x88, 0x81, 0, 0, 0, 0, 1],
      [0x88, 0x82, 0, 0, 0, 0, 0, 1],
    ],
    // Longer than anything is.
    ...[[0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]],
  ),
  // A bit is set that has no meaning here.
  fc
    .tuple(fc.integer({ min: 0x10, max: 0x7f }), fc.uint8Array({ minLength: 1, maxLength: 100 }))
    .map(([head, rest]) => [0x80 | head | 0x10, ...rest]),
);

/** Dialogs of up to five messages: starts of every kind, what controls them, and what is no message. */
export function dialogs(model: string): fc.Arbitrary<SocketStimulus> {
  const starts = chatValues(model, { type: 'start' }).map(bytesOf);
  const text = fc.oneof(
    { weight: 5, arbitrary: starts },
    { weight: 3, arbitrary: control },
    { weight: 1, arbitrary: notJson },
    { weight: 1, arbitrary: damaged(starts) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }).map((data) => Buffer.from(data)) },
  );
  const message = fc
    .record({
      kind: fc.oneof(
        { weight: 8, arbitrary: fc.constant('text' as const) },
        { weight: 1, arbitrary: fc.constant('binary' as const) },
      ),
      data: text,
      split: fc.boolean(),
    })
    .map(({ split, ...frame }): Frame => ({ ...frame, ...(split && { split }) }));
  const last = fc.oneof(
    { weight: 9, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: broken.map((data): Frame[] => [{ kind: 'broken', data: Buffer.from(data) }]) },
  );
  return fc
    .tuple(fc.array(message, { minLength: 1, maxLength: 5 }), last)
    .map(([messages, end]) => ({ frames: [...messages, ...end] }));
}
