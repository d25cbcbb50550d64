import { expect, test } from 'vitest';
import type { Pulse } from './engine/pulse.ts';
import { jobFor, measurerHere, startTarget } from './engine/test-rig.ts';
import { trafficOf } from './k6/stand-in/test-rig.ts';
import { measureTraffic } from './traffic.ts';

test('a run that is interrupted while it warms up says that nothing was measured', async () => {
  const target = await startTarget();
  const { wording } = jobFor(target, { kind: 'closed', concurrency: 1 });
  const profile = { ...trafficOf(), warmUpSeconds: 60 };
  const measurer = measurerHere(target, { ...wording, workload: profile.workload });
  const interruption = new AbortController();
  const onPulse = ({ ended }: Pulse) => ended > 0 && interruption.abort();
  const settings = { measurer, seed: 1, path: '', signal: interruption.signal, onPulse };
  const { requests, outcome, notes } = await measureTraffic(profile, settings);
  expect([requests.sent, outcome]).toEqual([0, 'incomplete']);
  expect(notes).toContain('interrupted before anything was measured');
});

test('a run in whose time nothing was sent crosses no bound', async () => {
  const target = await startTarget({ ttftMs: 1_000 });
  const { wording } = jobFor(target, { kind: 'closed', concurrency: 1 });
  const { requests: _, ...rest } = trafficOf();
  // The one request of each user is under way from the warm-up to after the end.
  const profile = { ...rest, warmUpSeconds: 0.2, durationSeconds: 0.2 };
  const measurer = measurerHere(target, { ...wording, workload: profile.workload });
  const settings = { measurer, seed: 1, path: '', signal: new AbortController().signal, onPulse: () => {} };
  const { requests, outcome, notes } = await measureTraffic(profile, settings);
  expect(requests).toMatchObject({ sent: 0, warmUp: 2 });
  expect(outcome).toBe('incomplete');
  expect(notes).toContain('no request was sent in the time that is measured: run longer');
});
