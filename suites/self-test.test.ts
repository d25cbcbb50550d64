import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../reference-server/backends/backend.ts';
import { loadGgufBackend } from '../reference-server/backends/gguf.ts';
import { profiles } from '../specs/profiles.ts';
import { requirements } from '../specs/requirements/index.ts';
import { holdTrials } from './hold-trials.ts';
import {
  isUndecided,
  selfTest,
  trialBackend,
  trialSubjects,
  trySubject,
  UnknownSubject,
  type Verdict,
} from './self-test.ts';

holdTrials(0);

describe('the self-test', () => {
  test.each(profiles.full.ids)('%s is tripped by a fault', (id) => {
    expect(trialSubjects.some(({ kind, expected }) => kind === 'fault' && expected.includes(id))).toBe(true);
  });

  test('does not pass over a fault that it cannot try', async () => {
    await expect(selfTest({ name: 'curl-chat-refused' })).rejects.toThrow('give --python');
  });

  test.each<[string, Partial<Verdict>, boolean]>([
    ['saw nothing of what it must see', { lost: ['chat.stop.string'] }, true],
    ['saw it pass', {}, false],
    ['saw something else break', { tripped: ['stream.content-type'], lost: ['chat.stop.string'] }, false],
    ['failed by itself', { lost: ['chat.stop.string'], faulty: ['stream.content-type'] }, false],
    ['holds', { tripped: ['chat.stop.string'], lost: ['stream.content-type'], holds: true }, false],
    ['did not see all of a clean server', { kind: 'clean', expected: [], lost: ['stream.content-type'] }, true],
  ])('whether a trial is undecided that %s', (_, seen, undecided) => {
    const verdict: Verdict = {
      kind: 'fault',
      name: '',
      description: '',
      expected: ['chat.stop.string'],
      tripped: [],
      lost: [],
      faulty: [],
      holds: false,
    };
    expect(isUndecided({ ...verdict, ...seen })).toBe(undecided);
  });

  test('names the nearest of an unknown fault', async () => {
    await expect(selfTest({ name: 'done-twise' })).rejects.toThrow(new UnknownSubject('done-twise'));
    await expect(selfTest({ name: 'done-twise' })).rejects.toThrow('done-twice');
  });
});

describe.each([
  ['scripted', 5_000, async () => trialBackend()],
  ['gguf', 20_000, () => loadGgufBackend({ modelPath: 'fixtures/model/stack29-tiny.gguf', gpu: false })],
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
