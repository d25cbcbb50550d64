import { randomUUID } from 'node:crypto';
import type { Behaviour } from '../behaviour.ts';
import { asked } from '../change.ts';
import { onSockets } from '../websocket/change-socket.ts';
import { socketPath } from '../websocket/upgrade.ts';
import { always, decidingOnSockets as deciding } from './checks.ts';
import type { Faults } from './fault.ts';

/** Starts count for another account than chats do. */
const countedFor = (nameOf: (id: string) => string) =>
  onSockets({ countsFor: (account) => ({ ...account, id: nameOf(account.id) }) });
const apart = (id: string) => `${id} over sockets`;

/** A generation over a socket takes no place from other chats. */
const withoutPlace: Pick<Behaviour, 'place'> = {
  place(place, { url }) {
    if (url.startsWith(socketPath)) void place.release();
    return place;
  },
};

export const socketLimitFaults = {
  'socket-starts-uncounted': {
    description: 'starts over sockets count for no limit on requests',
    trips: ['limits.shared.requests'],
    behaviour: countedFor(() => randomUUID()),
  },
  'socket-starts-counted-apart': {
    description: 'starts over sockets have a limit on requests of their own',
    trips: ['limits.shared.requests'],
    behaviour: countedFor(apart),
  },
  'socket-places-apart': {
    description: 'generations over sockets neither keep to the limit on chats at the same time nor count for it',
    trips: ['limits.shared.concurrent'],
    behaviour: { ...deciding(['place'], always), ...withoutPlace },
  },
  'socket-tokens-unlimited': {
    description: 'a start with a key whose tokens of the day are used up is answered',
    trips: ['limits.shared.tokens'],
    behaviour: deciding(['tokens'], always),
  },
  'socket-places-kept': {
    description: 'a generation of 300 tokens over a socket keeps its place when its client is gone',
    trips: ['limits.shared.freed'],
    behaviour: {
      place: (place, exchange) =>
        exchange.url.startsWith(socketPath) && asked(exchange).max_tokens === 300
          ? { ...place, release: async () => {} }
          : place,
    },
  },
  'socket-limits-apart': {
    description: 'no limit of the tier is kept together over sockets and chats in bodies',
    trips: ['limits.shared.requests', 'limits.shared.concurrent', 'limits.shared.tokens'],
    behaviour: {
      ...onSockets({
        countsFor: (account) => ({ ...account, id: apart(account.id) }),
        decide: (refusal, step) => (step === 'tokens' || step === 'place' ? undefined : refusal),
      }),
      ...withoutPlace,
    },
  },
} as const satisfies Faults;
