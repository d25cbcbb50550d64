import { defineConfig } from 'rolldown';
import packageJson from './package.json' with { type: 'json' };

const installed = Object.keys({ ...packageJson.dependencies, ...packageJson.peerDependencies });

const program = {
  input: {
    'stack29-conformance': 'bin/stack29-conformance.ts',
    bench: 'bin/bench.ts',
    vitest: 'suites/vitest.ts',
    'gguf-process': 'reference-server/backends/gguf-process.ts',
    'k6-stand-in': 'load/k6/stand-in/main.ts',
    'k6-stand-in-user': 'load/k6/stand-in/user.ts',
    'k6-stand-in-wire': 'load/k6/stand-in/wire.ts',
  },
  platform: 'node',
  external: (id) => installed.some((name) => id === name || id.startsWith(`${name}/`)),
  output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js' },
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

export default defineConfig([program, ...k6Scripts]);
