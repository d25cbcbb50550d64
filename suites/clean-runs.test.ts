import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shippedPath } from '../fixtures/model/shipped.ts';
import type { Backend } from '../reference-server/backends/backend.ts';
import { loadGgufBackend } from '../reference-server/backends/gguf.ts';
import { requirements } from '../specs/requirements/index.ts';
import { trialBackend, trialSubjects, trySubject } from './self-test.ts';

describe.each([
  ['scripted', 5_000, async () => trialBackend()],
  ['gguf', 20_000, () => loadGgufBackend({ modelPath: shippedPath, gpu: false })],
] as const)('twenty clean runs in a row on the %s backend', (_, timeoutMs, open) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open();
  });
  afterAll(() => backend.close());

  test('give the same verdicts, all passes', { timeout: 300_000 }, async () => {
    const [clean] = trialSubjects;
    if (!clean) throw new Error('there is no clean subject');
    // What the server has no part in: a model that does not see, and streams that count nothing unless they are asked to.
    const unseen = [
      ...(backend.model.vision ? [] : ['vision.declared the model declares that it has no vision']),
      'stream.same.usage the target gives no usage.prompt_tokens there',
      'tools.call.id-unique no answer calls more than one function',
    ].toSorted();
    for (let run = 0; run < 20; run += 1) {
      const { report } = await trySubject(clean, backend, { timeoutMs });
      const others = report.results.filter(
        ({ id, verdict }) => verdict !== 'pass' && requirements[id].profile !== 'clients',
      );
      expect(others.map(({ id, reason }) => `${id} ${reason}`).toSorted()).toEqual(unseen);
    }
  });
});
