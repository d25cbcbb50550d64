import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../reference-server/backends/backend.ts';
import { loadGgufBackend } from '../reference-server/backends/gguf.ts';
import { scriptedBackend } from '../reference-server/backends/scripted.ts';
import { profiles } from '../specs/profiles.ts';
import { requirementIds, requirements } from '../specs/requirements/index.ts';
import { selfTest, type Trial, trialLine, trialSubjects, trySubject, UnknownSubject } from './self-test.ts';

describe('the self-test', () => {
  let trials: ReadonlyMap<string, Trial>;

  beforeAll(async () => {
    trials = new Map((await selfTest()).map((trial) => [trial.name, trial]));
  }, 900_000);

  test.each(trialSubjects)('$kind $name trips exactly its requirements', ({ name }) => {
    const trial = trials.get(name);
    expect(trial && trialLine(trial)).toMatch(/^ok /);
  });

  test.each(profiles.full.ids)('%s is tripped by a fault', (id) => {
    expect(trialSubjects.some(({ kind, expected }) => kind === 'fault' && expected.includes(id))).toBe(true);
  });

  test('names the nearest of an unknown fault', async () => {
    await expect(selfTest('done-twise')).rejects.toThrow(new UnknownSubject('done-twise'));
    await expect(selfTest('done-twise')).rejects.toThrow('done-twice');
  });
});

/** The reference server runs no tools over a socket. */
const ofTools = requirementIds.filter((id) => requirements[id].need === 'server-tools');

describe.each([
  ['scripted', 1_000, async () => scriptedBackend()],
  ['gguf', 20_000, () => loadGgufBackend({ modelPath: 'fixtures/model/stack29-tiny.gguf', gpu: false })],
] as const)('twenty clean runs in a row on the %s backend', (_, timeoutMs, open) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open();
  });
  afterAll(() => backend.close());

  test('give the same verdicts, all passes', { timeout: 120_000 }, async () => {
    const [clean] = trialSubjects;
    if (!clean) throw new Error('there is no clean subject');
    for (let run = 0; run < 20; run += 1) {
      const { report } = await trySubject(clean, backend, timeoutMs);
      const others = report.results.filter(({ verdict }) => verdict !== 'pass');
      const unexpected = others.filter(({ id, verdict }) => verdict !== 'not-applicable' || !ofTools.includes(id));
      expect(unexpected.map(({ id, reason }) => `${id} ${reason}`)).toEqual([]);
    }
  });
});
