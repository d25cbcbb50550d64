import { defineConfig } from 'rolldown';
import packageJson from './package.json' with { type: 'json' };

const generators = ['fast-check', 'json-schema-faker'];
const installed = [...Object.keys({ ...packageJson.dependencies, ...packageJson.peerDependencies }), ...generators];

export default defineConfig({
  input: {
    'stack29-conformance': 'bin/stack29-conformance.ts',
    bench: 'bin/bench.ts',
    'bench-load': 'bin/bench-load.ts',
    'bench-server': 'bin/bench-server.ts',
    fuzz: 'bin/fuzz.ts',
    vitest: 'suites/vitest.ts',
    'javascript-program': 'reference-server/tools/javascript-program.ts',
    'python-program': 'reference-server/tools/python-program.ts',
    'client-openai-js': 'suites/clients/openai-js.ts',
    'client-curl': 'suites/clients/curl.ts',
    'gguf-process': 'reference-server/backends/gguf-process.ts',
    'load-worker': 'load/engine/worker.ts',
  },
  platform: 'node',
  external: (id) => installed.some((name) => id === name || id.startsWith(`${name}/`)),
  output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js' },
});
