import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shippedPath } from '../fixtures/model/shipped.ts';
import type { Backend } from '../reference-server/backends/backend.ts';
import { loadGgufBackend } from '../reference-server/backends/gguf.ts';
import { requirements } from '../specs/requirements/index.ts';
import { trialBackend, trialSubjects, trySubject } from './self-test.ts';

// On scripted text each dialect of the self-test is another clean run.
describe.each([
  ['scripted', 1, async () => trialBackend()],
  ['gguf', 5, () => loadGgufBackend({ modelPath: shippedPath, gpu: false })],
] as const)('clean runs in a row on the %s backend', (_, runs, open) => {
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
    for (let run = 0; run < runs; run += 1) {
      const { report } = await trySubject(clean, backend, { timeoutMs: 60_000 });
      const others = report.results.filter(
        ({ id, verdict }) => verdict !== 'pass' && requirements[id].profile !== 'clients',
      );
      expect(others.map(({ id, reason }) => `${id} ${reason}`).toSorted()).toEqual(unseen);
    }
  });
});
