import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../reference-server/backends/backend.ts';
import { loadGgufBackend } from '../reference-server/backends/gguf.ts';
import { profiles } from '../specs/profiles.ts';
import { requirementIds, requirements } from '../specs/requirements/index.ts';
import {
  needsClients,
  selfTest,
  type Trial,
  trialBackend,
  trialLine,
  trialSubjects,
  trySubject,
  UnknownSubject,
} from './self-test.ts';

/** An interpreter with openai and langchain-openai: .ci/run makes one. */
const python = process.env.STACK29_PYTHON;

describe('the self-test', () => {
  let trials: ReadonlyMap<string, Trial>;

  beforeAll(async () => {
    trials = new Map((await selfTest({ python })).map((trial) => [trial.name, trial]));
  }, 900_000);

  test.for(trialSubjects)('$kind $name trips exactly its requirements', ({ name, expected }, { skip }) => {
    skip(python === undefined && needsClients({ expected }), 'STACK29_PYTHON names no interpreter');
    const trial = trials.get(name);
    expect(trial && trialLine(trial)).toMatch(/^ok /);
  });

  test.each(profiles.full.ids)('%s is tripped by a fault', (id) => {
    expect(trialSubjects.some(({ kind, expected }) => kind === 'fault' && expected.includes(id))).toBe(true);
  });

  test('does not pass over a fault that it cannot try', async () => {
    await expect(selfTest({ name: 'curl-chat-refused' })).rejects.toThrow('give --python');
  });

  test('names the nearest of an unknown fault', async () => {
    await expect(selfTest({ name: 'done-twise' })).rejects.toThrow(new UnknownSubject('done-twise'));
    await expect(selfTest({ name: 'done-twise' })).rejects.toThrow('done-twice');
  });
});

/** The reference server runs no tools over a socket. */
const ofTools = requirementIds.filter((id) => requirements[id].need === 'server-tools');

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
    // Sees, and says so: what a blind model has to say of that is nothing.
    const unseen = backend.model.vision ? [] : ['vision.declared the model declares that it has no vision'];
    for (let run = 0; run < 20; run += 1) {
      const { report } = await trySubject(clean, backend, { timeoutMs });
      const others = report.results.filter(
        ({ id, verdict }) => verdict !== 'pass' && requirements[id].need !== 'client-programs',
      );
      const unexpected = others.filter(({ id, verdict }) => verdict !== 'not-applicable' || !ofTools.includes(id));
      expect(unexpected.map(({ id, reason }) => `${id} ${reason}`)).toEqual(unseen);
    }
  });
});
