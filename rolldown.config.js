import { defineConfig } from 'rolldown';
import packageJson from './package.json' with { type: 'json' };

const generators = ['fast-check', 'json-schema-faker'];
const installed = [...Object.keys({ ...packageJson.dependencies, ...packageJson.peerDependencies }), ...generators];

const program = {
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
    'self-test-worker': 'suites/self-test-worker.ts',
    'load-worker': 'load/engine/worker.ts',
  },
  platform: 'node',
  external: (id) => installed.some((name) => id === name || id.startsWith(`${name}/`)),
  output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js' },
};

// For tests, and no part of the package.
const k6StandIn = {
  ...program,
  input: { main: 'load/k6/stand-in/main.ts', user: 'load/k6/stand-in/user.ts', wire: 'load/k6/stand-in/wire.ts' },
  output: { dir: 'dist/k6-stand-in', format: 'esm' },
};

// k6 is given one file that stands by itself.
const k6Scripts = ['chat', 'stream', 'websocket', 'soak', 'tier-requests', 'tier-concurrency', 'tier-tokens'].map(
  (name) => ({
    input: `load/k6/${name}.ts`,
    platform: 'neutral',
    external: /^k6(\/|$)/,
    output: { file: `dist/k6/${name}.js`, format: 'esm' },
  }),
);

export default defineConfig([program, k6StandIn, ...k6Scripts]);
