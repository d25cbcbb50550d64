import { expect, test } from 'vitest';
import { refusing } from '../../reference-server/faults/checks.ts';
import { trialBackend, trySubject } from '../self-test.ts';

test('a target that refuses every tool shows nothing of those that are wrong', { timeout: 60_000 }, async () => {
  const behaviour = refusing('tools', (tools) => Array.isArray(tools) && tools.length > 0);
  const subject = { kind: 'fault', name: 'no tool', description: '', expected: [], behaviour } as const;
  const { report } = await trySubject(subject, trialBackend(), { timeoutMs: 5_000 });
  const verdicts = Object.fromEntries(report.results.map(({ id, verdict }) => [id, verdict]));
  expect(verdicts).toMatchObject({
    'chat.tools.definition': 'fail',
    'tools.definition.malformed': 'inconclusive',
    'tools.definition.schema': 'inconclusive',
  });
});
