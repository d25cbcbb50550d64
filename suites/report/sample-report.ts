import { documentHeadings } from '../../specs/document.ts';
import type { Excerpt, Report, Result, Verdict } from '../../specs/report.ts';
import { type RequirementId, requirements } from '../../specs/requirements/index.ts';
import { countVerdicts } from './outcome.ts';

export const hostileText = '\u001b[2J\u001b]0;owned\u0007\r\u0000\u009b31m\u202e</failure>]]>&"\ud800\ufffe';

export const exchange: Excerpt = {
  probe: 'a plain completion',
  step: 0,
  request: {
    method: 'POST',
    url: 'http://127.0.0.1:3000/v1/chat/completions',
    headers: [
      ['authorization', 'Bearer [masked]'],
      ['content-type', 'application/json'],
    ],
    body: '{"model":"stack29/tiny","messages":[{"role":"user","content":"Hello"}],"max_tokens":8}',
  },
  response: {
    status: 200,
    headers: [['content-type', 'application/json; charset=utf-8']],
    body: '{"id":"chatcmpl-1","object":"chat.completion","usage":{"prompt_tokens":25,"completion_tokens":35,"total_tokens":61}}',
  },
};

export function sampleResult(id: RequirementId, verdict: Verdict, rest: Partial<Result> = {}): Result {
  const { level, statement, source } = requirements[id];
  return {
    id,
    level,
    verdict,
    statement,
    source: { id: source, title: documentHeadings[source].title },
    observed: 1,
    findings: [],
    findingsTotal: 0,
    ...rest,
  };
}

const tooMany = {
  subject: 'usage.total_tokens',
  expected: ['60'],
  actual: '61',
  exchange,
  reproduce: 'curl -ig \'http://127.0.0.1:3000/v1/chat/completions\' \\\n  -H "Authorization: Bearer $STACK29_API_KEY"',
};

/** Every verdict at least once, a hostile target's bytes wherever they can come through. */
const mixedResults: readonly Result[] = [
  sampleResult('http.response.complete', 'pass'),
  sampleResult('version.api-version.present', 'warn', {
    findings: [{ subject: 'api_version', expected: ['a string'], actual: 'absent', exchange }],
    findingsTotal: 7,
  }),
  sampleResult('auth.bearer.accepted', 'pass'),
  sampleResult('auth.disabled.status', 'inconclusive', {
    reason: 'needs the key of a disabled account: --disabled-key',
  }),
  sampleResult('auth.disabled.identifier', 'inconclusive', {
    reason: 'needs the key of a disabled account: --disabled-key',
  }),
  sampleResult('models.list.entry.capabilities-spelling', 'note', {
    findings: [{ subject: '/data/0', expected: ['capabilities'], actual: 'Capabilities' }],
    findingsTotal: 1,
  }),
  sampleResult('chat.response.usage-sum', 'fail', { findings: [tooMany], findingsTotal: 1 }),
  sampleResult('chat.response.object', 'fail', {
    findings: [{ subject: 'object', expected: ['"chat.completion"', 'x'], actual: hostileText, exchange }],
    findingsTotal: 1,
  }),
  sampleResult('chat.response.id', 'error', { reason: 'the judgement threw TypeError: x is undefined' }),
  sampleResult('stream.end.done-marker', 'not-applicable', {
    reason: `the model declares that it does not stream ${hostileText}`,
  }),
];

export function sampleReport(results: readonly Result[] = mixedResults, rest: Partial<Report> = {}): Report {
  return {
    format: 'stack29-report/1',
    tool: 'stack29-conformance 0.1.0',
    target: { url: 'http://127.0.0.1:3000/v1', model: 'stack29/tiny' },
    profile: { name: 'standard', digest: '0123456789ab', requirements: results.length },
    only: [],
    without: [],
    startedAt: '2026-01-02T03:04:05.678Z',
    durationMs: 1234.5,
    cost: { requests: 71, promptTokens: 1200, completionTokens: 345 },
    outcome: 'non-conformant',
    counts: countVerdicts(results),
    dialect: { 'error form': 'identifier in code', 'version fields': 'in the body and in a header' },
    results,
    ...rest,
  };
}
