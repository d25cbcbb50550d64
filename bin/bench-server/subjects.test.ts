import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test, vi } from 'vitest';
import { SubjectProblem } from './chat-client.ts';
import { llamaServer } from './subjects.ts';

const folder = mkdtempSync(join(tmpdir(), 'stack29-subjects-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ending = join(folder, 'ending');
writeFileSync(ending, '#!/bin/sh\nexit 3\n', { mode: 0o755 });

test.each([
  [ending, 'ended with 3'],
  [join(folder, 'missing'), 'ENOENT'],
])('a llama-server that does not start is told, and waited for no longer: %s', async (path, words) => {
  const asked = vi.spyOn(globalThis, 'fetch');
  const started = llamaServer(path, 1, { modelPath: 'none.gguf', gpu: false });
  await expect(started).rejects.toThrow(SubjectProblem);
  await expect(started).rejects.toThrow(words);
  const times = asked.mock.calls.length;
  await sleep(200);
  expect(asked.mock.calls.length).toBe(times);
  asked.mockRestore();
});
