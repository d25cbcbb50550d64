import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { UnknownSubject } from './self-test.ts';
import { shareSelfTest } from './self-test-workers.ts';

beforeAll(() => {
  if (!existsSync(join(import.meta.dirname, '../dist/self-test-worker.js')))
    throw new Error('these tests run the built programs: npm run build');
});

const never = new AbortController().signal;

describe('a self-test in processes of its own', () => {
  test('gives the verdict of a trial as it ends', { timeout: 120_000 }, async () => {
    const told: unknown[] = [];
    const onTrial = ({ name }: { name: string }, total: number) => told.push([name, total]);
    const verdicts = await shareSelfTest({ name: 'body-chunked', workers: 4, signal: never, onTrial });
    expect(verdicts).toMatchObject([{ kind: 'dialect', name: 'body-chunked', tripped: [], faulty: [] }]);
    expect(verdicts[0]).not.toHaveProperty('report');
    expect(told).toEqual([['body-chunked', 1]]);
  });

  test('ends with what was tried when it is interrupted', { timeout: 60_000 }, async () => {
    const interruption = new AbortController();
    const trials = shareSelfTest({ workers: 2, signal: interruption.signal, onTrial: () => {} });
    interruption.abort();
    expect(await trials).toEqual([]);
  });

  test('of an unknown subject starts none', async () => {
    const trials = shareSelfTest({ name: 'body-chunkd', workers: 2, signal: never, onTrial: () => {} });
    await expect(trials).rejects.toThrow(UnknownSubject);
  });
});
