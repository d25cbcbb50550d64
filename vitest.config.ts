import { configDefaults, defineConfig } from 'vitest/config';

/** They compute several sequences of a model in their own process, of whose pool only one thread may then sample. */
const sampling = ['reference-server/backends/gguf-model.test.ts'];

export default defineConfig({
  test: {
    environment: 'node',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
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
