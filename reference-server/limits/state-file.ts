import { rmdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from 'node-sqlite3-wasm';
import type { Clock } from './clock.ts';
import { BadStore, type Counter, StoreUnavailable, secondsOfDay, type Taken } from './store.ts';

export interface StateFile {
  readonly tokens: Counter;
  close(): void;
}

const schema = `
  PRAGMA synchronous = OFF;
  PRAGMA journal_mode = PERSIST;
  CREATE TABLE IF NOT EXISTS tokens (account TEXT PRIMARY KEY, taken INTEGER NOT NULL, reset INTEGER NOT NULL);
`;

/** A day that is over counts no more, and the first use after it begins the next one. */
const add = `
  INSERT INTO tokens VALUES (:account, :amount, :reset) ON CONFLICT (account) DO UPDATE SET
    taken = CASE WHEN reset > :now THEN taken + excluded.taken ELSE excluded.taken END,
    reset = CASE WHEN reset > :now THEN reset ELSE excluded.reset END
  RETURNING taken, reset
`;
const read = 'SELECT taken, reset FROM tokens WHERE account = :account AND reset > :now';

/**
 * Tokens of the day in an SQLite database, so that they outlive the server. Holds digests of keys, no keys.
 * @throws BadStore
 */
export async function openStateFile(path: string, clock: Clock): Promise<StateFile> {
  // Its WebAssembly is compiled when it is loaded, so that only who keeps a state waits for it.
  const { Database } = createRequire(import.meta.url)('node-sqlite3-wasm') as typeof import('node-sqlite3-wasm');
  await removeStaleLock(path);
  let database: Database;
  try {
    database = new Database(path);
    database.exec(schema);
  } catch (error) {
    throw badStore(path, error);
  }
  const query = (sql: string, account: string, more: (reset: number) => Record<string, number> = () => ({})): Taken => {
    const now = Math.floor(clock() / 1000);
    const reset = now + secondsOfDay;
    try {
      const row = database.get(sql, { ':account': account, ':now': now, ...more(reset) });
      return { taken: Number(row?.taken ?? 0), reset: Number(row?.reset ?? reset) };
    } catch (error) {
      throw new StoreUnavailable(badStore(path, error).message);
    }
  };
  return {
    tokens: {
      add: async (account, amount) => query(add, account, (reset) => ({ ':amount': amount, ':reset': reset })),
      read: async (account) => query(read, account),
    },
    close: () => database.close(),
  };
}

/** A write takes milliseconds. */
const longestWriteMs = 2_000;

/** Removes what a server leaves beside the file when it is killed in the middle of a write. */
async function removeStaleLock(path: string): Promise<void> {
  const lock = `${path}.lock`;
  const since = () =>
    stat(lock).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
  const seen = await since();
  if (seen === undefined) return;
  await sleep(longestWriteMs);
  if ((await since()) === seen) await rmdir(lock).catch(() => {});
}

function badStore(path: string, error: unknown): BadStore {
  const reason = error instanceof Error ? error.message : String(error);
  return new BadStore(`the state file ${path} cannot be used: ${reason}`);
}
