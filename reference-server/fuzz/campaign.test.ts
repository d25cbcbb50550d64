import { expect, test } from 'vitest';
import { ApiError } from '../api-error.ts';
import type { Behaviour } from '../behaviour.ts';
import { asked, inBody } from '../change.ts';
import { runCampaign } from './campaign.ts';

test('500 generated requests leave the server well, and take every way through it', { timeout: 120_000 }, async () => {
  const { statuses, failure } = await runCampaign({ count: 500, seed: 29 });
  expect(failure).toBeUndefined();
  expect(Object.keys(statuses)).toEqual(
    expect.arrayContaining(['200', '400', '401', '404', '405', '413', '415', 'socket', 'close']),
  );
});

const broken: readonly [what: string, behaviour: Behaviour, reason: string][] = [
  [
    'fails on streams',
    {
      decide: (refusal, step, exchange) =>
        step === 'context' && asked(exchange).stream === true ? new ApiError('internal_error', 'it broke') : refusal,
    },
    'status 500',
  ],
  ['tells errors in a form of its own', inBody('error', '/error/message', 404), 'at /error/message'],
  [
    'throws',
    {
      generation() {
        throw new Error('it broke');
      },
    },
    'internal_error',
  ],
  [
    'leaves messages without an answer',
    { socket: { receive: (message) => (message.type === 'done' ? undefined : message) } },
    'of 1 messages that are none only 0',
  ],
  [
    'tells errors on sockets in a form of its own',
    { socket: { reply: (message) => [{ ...Object(message), message: 404 }] } },
    'at /message',
  ],
  [
    'breaks sockets',
    {
      socket: {
        transmit: async (channel, text) => (text.includes('"error"') ? channel.close(1011, '') : channel.text(text)),
      },
    },
    'closed with 1011',
  ],
];

test.each(broken)(
  'a server that %s is found out, and its failure comes again',
  { timeout: 120_000 },
  async (_, behaviour, reason) => {
    const { failure } = await runCampaign({ count: 2000, seed: 29, behaviour });
    expect(failure?.reason).toContain(reason);
    const again = await runCampaign({ count: 1, seed: 29, path: failure?.path, behaviour });
    expect(again.failure).toMatchObject({ reason: expect.stringContaining(reason), stimulus: failure?.stimulus });
  },
);
