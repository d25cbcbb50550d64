import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** They take minutes, the last one most. Whatever runs beside them is then done when they are. */
const longest = ['suites/limits.', 'bin/load-profiles.', 'load/k6/stand-in/tier/', 'suites/self-test.test.'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => longest.findIndex((name) => moduleId.includes(name));
    return (await super.sort(files)).toSorted((one, other) => place(other) - place(one));
  }
}

/** They compute several sequences of a model in their own process, of whose pool only one thread may then sample. */
const sampling = ['reference-server/backends/gguf-model.test.ts'];

export default defineConfig({
  test: {
    environment: 'node',
    // One of them does nothing but wait for the processes of the self-test.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 20_000,
    // Many start a model or a server, which takes long on a busy machine.
    hookTimeout: 90_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'plain',
          include: ['**/*.test.ts'],
          exclude: [...configDefaults.exclude, 'dist/**', ...sampling],
        },
      },
      { extends: true, test: { name: 'sampling', include: sampling, env: { UV_THREADPOOL_SIZE: '1' } } },
    ],
  },
});
