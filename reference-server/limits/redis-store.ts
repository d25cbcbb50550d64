import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';
import type { Clock } from './clock.ts';
import {
  BadStore,
  type Counter,
  type LimitStore,
  type Places,
  StoreUnavailable,
  secondsOfDay,
  type Taken,
} from './store.ts';

const prefix = 'stack29';

/** As the library's own, but a window ends on a whole second, which the headers can name. */
const addInWindow = `
  redis.call('set', KEYS[1], 0, 'EXAT', redis.call('time')[1] + ARGV[2], 'NX')
  return { redis.call('incrby', KEYS[1], ARGV[1]), redis.call('pttl', KEYS[1]) }
`;

/** Leases of one account, each with the time at which it ends where nobody renews it. */
const takePlace = `
  local now = redis.call('time')
  local ms = now[1] * 1000 + math.floor(now[2] / 1000)
  redis.call('zremrangebyscore', KEYS[1], '-inf', ms)
  local running = redis.call('zcard', KEYS[1])
  if running >= tonumber(ARGV[1]) then return 0 end
  redis.call('zadd', KEYS[1], ms + ARGV[2], ARGV[3])
  redis.call('pexpire', KEYS[1], ARGV[2])
  return running + 1
`;
const renewPlace = `
  local now = redis.call('time')
  redis.call('zadd', KEYS[1], 'XX', now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[1], ARGV[2])
  redis.call('pexpire', KEYS[1], ARGV[1])
`;

export interface RedisSettings {
  /** `redis://host:port`, with what Redis clients take beside it. */
  readonly url: string;
  readonly clock: Clock;
  /** Length of the window of the request limit. */
  readonly windowSeconds: number;
  /** After so long the places of a server that died are free; default 15,000. */
  readonly leaseMs?: number;
  /** Told in one line when the connection is lost, each time. */
  readonly warn: (line: string) => void;
}

/**
 * Counts that several servers share.
 * @throws BadStore where Redis cannot be reached, or its client is not installed
 */
export async function openRedisStore({
  url,
  clock,
  windowSeconds,
  leaseMs = 15_000,
  warn,
}: RedisSettings): Promise<LimitStore> {
  const redis = await connect(url, warn);
  // One that hangs keeps its connection.
  let hasAnswered = true;
  const reached: Reached = async (answer) => {
    try {
      const result = await answer;
      hasAnswered = true;
      return result;
    } catch (error) {
      hasAnswered = false;
      throw new StoreUnavailable(`Redis cannot be reached: ${error instanceof Error ? error.message : error}`);
    }
  };
  const places = redisPlaces(redis, reached, leaseMs);
  return {
    requests: redisCounter(redis, reached, clock, 'requests', windowSeconds),
    tokens: redisCounter(redis, reached, clock, 'tokens', secondsOfDay),
    places,
    get available() {
      return redis.status === 'ready' && hasAnswered;
    },
    async close() {
      places.close();
      redis.disconnect();
    },
  };
}

async function connect(url: string, warn: (line: string) => void): Promise<Redis> {
  const client = await import('ioredis').catch(() => undefined);
  if (!client) throw new BadStore('--limits-store redis needs the package ioredis: npm install ioredis');
  const redis = new client.Redis(url, {
    lazyConnect: true,
    connectTimeout: 3_000,
    commandTimeout: 3_000,
    // A request is not to wait for a server that is away.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(times * 200, 2_000),
  });
  let connected = false;
  let problem: string | undefined;
  redis.on('error', (error) => {
    problem = error.message;
    if (connected) warn(`Redis: ${problem}`);
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    const reason = problem || (error instanceof Error ? error.message : error);
    throw new BadStore(`Redis cannot be reached at ${new URL(url).host}: ${reason}`);
  }
  connected = true;
  return redis;
}

/** Waits for what Redis says. @throws StoreUnavailable where it says nothing */
type Reached = <Result>(answer: Promise<Result>) => Promise<Result>;

function redisCounter(redis: Redis, reached: Reached, clock: Clock, name: string, seconds: number): Counter {
  const counter = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `${prefix}:${name}`,
    points: Number.MAX_SAFE_INTEGER,
    duration: seconds,
    customIncrTtlLuaScript: addInWindow,
    rejectIfRedisNotReady: true,
  });
  const taken = (result: RateLimiterRes | null): Taken => ({
    taken: result?.consumedPoints ?? 0,
    reset: Math.round((clock() + (result?.msBeforeNext ?? seconds * 1000)) / 1000),
  });
  return {
    add: async (account, amount) => taken(await reached(counter.penalty(account, amount))),
    read: async (account) => taken(await reached(counter.get(account))),
  };
}

function redisPlaces(redis: Redis, reached: Reached, leaseMs: number): Places & { close(): void } {
  const held = new Map<string, string>();
  const renewal = setInterval(() => {
    for (const [lease, key] of held) void redis.eval(renewPlace, 1, key, leaseMs, lease).catch(() => {});
  }, leaseMs / 3);
  renewal.unref();
  return {
    async take(account, most) {
      const key = `${prefix}:places:${account}`;
      const lease = randomUUID();
      const running = Number(await reached(redis.eval(takePlace, 1, key, most, leaseMs, lease)));
      if (running === 0) return undefined;
      held.set(lease, key);
      return {
        running,
        async release() {
          // Where this fails, the lease runs out.
          if (held.delete(lease)) await redis.zrem(key, lease).catch(() => {});
        },
      };
    },
    close: () => clearInterval(renewal),
  };
}
