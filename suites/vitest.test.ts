import { afterAll, beforeAll } from 'vitest';
import { scriptedBackend } from '../reference-server/backends/scripted.ts';
import { keyOfTier } from '../reference-server/keys/key-entries.ts';
import { type RunningServer, startServer } from '../reference-server/server.ts';
import { conformance } from './vitest.ts';

let server: RunningServer;

beforeAll(async () => {
  const keys = [keyOfTier('sk-own', 'free'), keyOfTier('sk-disabled', 'free', true)];
  server = await startServer({ backend: scriptedBackend(), keys });
});

afterAll(() => server.close());

conformance({ url: () => server.url, apiKey: 'sk-own', disabledKey: 'sk-disabled' });
