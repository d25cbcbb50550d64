import { existsSync } from 'node:fs';
import { availableParallelism, constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { profiles } from '../specs/profiles.ts';
import {
  isUndecided,
  NeedsPython,
  needsClients,
  subjectsOf,
  trialLine,
  trialSubjects,
  UnknownSubject,
  type Verdict,
} from './self-test.ts';
import { shareSelfTest } from './self-test-workers.ts';

/** An interpreter with openai and langchain-openai: .ci/run makes one. */
const python = process.env.STACK29_PYTHON;

const never = new AbortController().signal;

beforeAll(() => {
  if (!existsSync(join(import.meta.dirname, '../dist/self-test-worker.js')))
    throw new Error('these tests run the built programs: npm run build');
  // The trials need minutes of every core. Other tests run beside them, of which many go by the clock, and come first.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
});

describe('the trials', () => {
  let lines: ReadonlyMap<string, string>;

  beforeAll(async () => {
    const workers = availableParallelism();
    const verdicts = await shareSelfTest({ python, workers, signal: never, onTrial: () => {} });
    lines = new Map(verdicts.map((verdict) => [verdict.name, trialLine(verdict)]));
  }, 900_000);

  test.for(trialSubjects)('$kind $name trips exactly its requirements', ({ name, expected }, { skip }) => {
    skip(python === undefined && needsClients({ expected }), 'STACK29_PYTHON names no interpreter');
    expect(lines.get(name)).toMatch(/^ok /);
  });
});

describe('the self-test', () => {
  test.each(profiles.full.ids)('%s is tripped by a fault', (id) => {
    expect(trialSubjects.some(({ kind, expected }) => kind === 'fault' && expected.includes(id))).toBe(true);
  });

  test('does not pass over a fault that it cannot try', () => {
    expect(() => subjectsOf({ name: 'curl-chat-refused' })).toThrow(NeedsPython);
    expect(() => subjectsOf({ name: 'curl-chat-refused' })).toThrow('give --python');
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

  test('names the nearest of an unknown fault', () => {
    expect(() => subjectsOf({ name: 'done-twise' })).toThrow(UnknownSubject);
    expect(() => subjectsOf({ name: 'done-twise' })).toThrow('done-twice');
  });
});
