import { expect, test } from 'vitest';
import { type DialectId, dialects } from '../reference-server/dialects.ts';
import { jobFor, measureJob, startTarget, streams } from './engine/test-rig.ts';
import { findKeyPlace } from './find-key-place.ts';

const workload = { ...streams, outputTokens: 3, transports: { websocket: 1 } };
const { signal } = new AbortController();

test.each<[dialect: DialectId, place: string]>([
  ['socket-key-in-header', 'header'],
  ['socket-key-in-start', 'start'],
  ['socket-key-in-query', 'query'],
])('%s: the key is found to be taken there, and requests are answered', async (dialect, place) => {
  const endpoint = await startTarget({ behaviour: dialects[dialect].behaviour });
  const job = jobFor(endpoint, { kind: 'constant', rate: 100 }, { requests: 3, workload });
  const found = await findKeyPlace(endpoint, job.wording, signal);
  expect(found).toEqual({ place, answer: { status: 200, tokens: 8 + 1 + 1 } });
  const wording = { ...job.wording, ...(found && { keyPlace: found.place }) };
  const { counts, errors } = await measureJob({ ...job, wording });
  expect([counts.succeeded, errors]).toEqual([3, []]);
});

test('nothing is looked for where no socket is opened, and nothing found where no key is taken', async () => {
  const endpoint = await startTarget();
  const { wording } = jobFor(endpoint, { kind: 'constant', rate: 1 }, { workload });
  expect(await findKeyPlace(endpoint, { ...wording, workload: streams }, signal)).toBeUndefined();
  expect(await findKeyPlace({ ...endpoint, key: 'sk-another' }, wording, signal)).toBeUndefined();
});
