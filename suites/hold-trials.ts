import { beforeAll, describe, expect, test } from 'vitest';
import { type Half, needsClients, selfTest, type Trial, trialLine, trialSubjects } from './self-test.ts';

/** An interpreter with openai and langchain-openai: .ci/run makes one. */
const python = process.env.STACK29_PYTHON;

/** Registers a test for each subject of a half of the self-test. The halves run in two processes, which halves the time. */
export function holdTrials(half: Half): void {
  describe(`the trials of half ${half + 1}`, () => {
    let trials: ReadonlyMap<string, Trial>;

    beforeAll(async () => {
      trials = new Map((await selfTest({ half, python })).map((trial) => [trial.name, trial]));
    }, 900_000);

    const subjects = trialSubjects.filter((_, index) => index % 2 === half);
    test.for(subjects)('$kind $name trips exactly its requirements', ({ name, expected }, { skip }) => {
      skip(python === undefined && needsClients({ expected }), 'STACK29_PYTHON names no interpreter');
      const trial = trials.get(name);
      expect(trial && trialLine(trial)).toMatch(/^ok /);
    });
  });
}
