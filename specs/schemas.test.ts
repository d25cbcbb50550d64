import { describe, expect, test } from 'vitest';
import { problemsOf, type SchemaName, schemas } from './validate.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Cases {
  readonly accepted: readonly Json[];
  /** Changes to the first accepted value, each of which is a problem at exactly the changed part. */
  readonly refused: Readonly<Record<string, readonly (Json | undefined)[]>>;
  /** Other values, each with the one part of it that is a problem. */
  readonly alsoRefused?: readonly (readonly [pointer: string, value: Json])[];
}

const absent = undefined;
const notText = [absent, '', null, 7];
const notTime = [absent, '1700000000', 1700000000.5, -1, 1700000000000];
const notCount = [absent, '1', 1.5, -1, null];

const call = { id: 'call_1', type: 'function', function: { name: 'add', arguments: '{"a":1,"b":2}' } };
const tool = {
  type: 'function',
  id: 'call_1',
  function: { name: 'add', description: 'Adds two numbers', parameters: { type: 'object', properties: {} } },
};
const usage = { prompt_tokens: 12, completion_tokens: 7, total_tokens: 19 };
const capabilities = { streaming: true, tools: true, voice: false };
const model = { id: 'maker/small', object: 'model', created: 1700000000, owned_by: 'maker', context_window: 4096 };
const entry = { ...model, permission: [], root: 'maker/small', parent: null };
const request = { model: 'maker/small', messages: [{ role: 'user', content: 'Hi' }] };
const completion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1700000000,
  model: 'maker/small',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi', tool_calls: [] }, finish_reason: 'stop' }],
  usage,
  system_fingerprint: 'fp_1',
};
const calling = { index: 0, message: { role: 'assistant', content: null, tool_calls: [call] }, finish_reason: 'stop' };
const callPiece = { index: 0, id: 'call_1', type: 'function', function: { name: 'add', arguments: '{' } };
const chunk = {
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1700000000,
  model: 'maker/small',
  choices: [{ index: 0, delta: { content: 'Hi', tool_calls: [callPiece] }, finish_reason: null }],
};
const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } };
const told = {
  event: 'tool_call.completed',
  timestamp: '2026-01-31T12:00:00Z',
  data: { tool_call_id: 'call_1', tool_name: 'add', execution_time_ms: 12, result: '3' },
};
const error = { message: 'Unknown key', type: 'invalid_request_error', param: 'authorization', code: 401 };

const workload = { promptTokens: 8, outputTokens: { from: 1, to: 9 }, transports: { sse: 1 } };
const traffic = {
  kind: 'traffic',
  name: 'mine',
  description: 'A try',
  workload,
  arrival: { kind: 'poisson', rate: 2 },
  durationSeconds: 1,
  slos: { ttft_p95: 500 },
  thresholds: { error_fraction: { atMost: 0 } },
};
const search = {
  fromRate: 1,
  toRate: 9,
  stepSeconds: 5,
  warmUpSeconds: 1,
  repeats: 3,
  precision: 0.1,
  spacing: 'poisson',
};
const tierProfile = {
  kind: 'tier',
  name: 'free',
  description: '',
  workload,
  tier: 'free',
  limits: {},
  checks: ['burst'],
};
const result = {
  format: 'stack29-load/1',
  tool: 'stack29-conformance 1',
  engine: 'embedded',
  command: 'stack29-conformance load',
  target: { url: 'http://127.0.0.1:3000/v1', model: 'maker/small' },
  profile: traffic,
  workers: 1,
  startedAt: '2026-01-01T00:00:00Z',
  measuredSeconds: 1,
  requests: { sent: 2, succeeded: 1, failed: 1, limited: 0, unfinished: 0, warmUp: 0 },
  tokens: { prompt: 8, output: 4, countedBy: 'usage' },
  metrics: {
    ttft: { unit: 'ms', count: 1, mean: 1, min: 1, max: 1, percentiles: { '95': 1 } },
    goodput: { unit: '1/s', value: 1 },
  },
  errors: [{ kind: 'closed', count: 1 }],
  timeline: {
    sliceSeconds: 1,
    slices: [{ at: 0, sent: 2, succeeded: 1, failed: 1, limited: 0, inFlight: 2, outputTokens: 4 }],
  },
  clientHealth: { isLimit: false, reasons: [] },
  bounds: [{ name: 'ttft_p95', unit: 'ms', atMost: 500, actual: 1, kept: true }],
  notes: [],
  outcome: 'passed',
};
const onlyType = (type: string): Cases => ({
  accepted: [{ type }, { type, id: 1 }],
  refused: { '': [null, []], '/type': [absent, 'other', 7] },
});

const cases: Record<SchemaName, Cases> = {
  'load-workload': {
    accepted: [
      { ...workload, tools: true, temperature: 0 },
      { promptTokens: { from: 1, to: 2 }, outputTokens: 1, transports: { json: 1, websocket: 0.5 } },
    ],
    refused: {
      '': [null, []],
      '/promptTokens': [absent, 0, '8', { from: 1 }, { from: 0, to: 1 }, { from: 1, to: 2, by: 1 }],
      '/outputTokens': [absent, 1.5, {}],
      '/transports': [absent, 'sse', []],
      '/transports/sse': [-1, '1'],
      '/transports/http': [1],
      '/temperature': [-1, 3],
      '/tools': ['no'],
      '/tokens': [1],
    },
  },
  'load-arrival': {
    accepted: [
      { kind: 'poisson', rate: 0.5 },
      { kind: 'constant', rate: 5 },
      { kind: 'closed', concurrency: 1 },
      { kind: 'bursts', size: 110, everySeconds: 60 },
      { kind: 'ramp', fromRate: 0, stages: [{ toRate: 5, seconds: 1 }], spacing: 'even' },
      { kind: 'trace', file: 'monday.jsonl', speed: 2 },
    ],
    refused: {
      '': [null, []],
      '/kind': [absent, 'poison', 7],
      '/rate': [absent, 0, '5'],
      '/concurrency': [1],
    },
    alsoRefused: [
      ['/concurrency', { kind: 'closed', concurrency: 0 }],
      ['/stages', { kind: 'ramp', fromRate: 0, stages: [], spacing: 'even' }],
      ['/stages/0/seconds', { kind: 'ramp', fromRate: 0, stages: [{ toRate: 5 }], spacing: 'even' }],
      ['/file', { kind: 'trace' }],
    ],
  },
  'load-profile': {
    accepted: [
      traffic,
      { kind: 'capacity', name: 'knee', description: '', workload, search, slos: { ttft_p95: 1 }, timeoutSeconds: 5 },
      { kind: 'tier', name: 'free', description: '', workload, tier: 'free', limits: {}, checks: ['burst', 'tokens'] },
    ],
    refused: {
      '': [null, []],
      '/kind': [absent, 'trafic', null],
      '/name': [absent, '', 7],
      '/workload': [absent, null],
      '/workload/transports': [absent],
      '/arrival': [absent, null],
      '/arrival/rate': [absent, -1],
      '/durationSeconds': [0, '60s'],
      '/requests': [0, 1.5],
      '/slos': [[], 5],
      '/slos/ttft_p95': ['500ms', -1],
      '/thresholds/error_fraction': [0.1],
      '/thresholds/error_fraction/above': [0.1],
      '/search': [search],
    },
    alsoRefused: [
      ['/slos', { kind: 'capacity', name: 'knee', description: '', workload, search, slos: {} }],
      [
        '/search/repeats',
        { kind: 'capacity', name: 'k', description: '', workload, search: { ...search, repeats: 0 }, slos: { a: 1 } },
      ],
      ['/limits/concurrent', { ...tierProfile, limits: { concurrent: 0 } }],
      ['/checks/0', { ...tierProfile, checks: ['bursts'] }],
    ],
  },
  'load-result': {
    accepted: [
      result,
      {
        ...result,
        capacity: { points: [], rate: 5, rateInterval: [4, 6], withheld: '' },
        tier: [{ check: 'burst', sent: 1, admitted: 1, refused: 0, other: 0, verdict: 'holds', reasons: [] }],
      },
    ],
    refused: {
      '': [null, []],
      '/format': [absent, 'stack29-load/2'],
      '/engine': [absent, 'wrk'],
      '/target/model': [absent, 7],
      '/profile/arrival/rate': [absent],
      '/requests/limited': notCount,
      '/metrics': [absent, []],
      '/metrics/ttft': [{ unit: 'ms' }, 5],
      '/metrics/goodput': [{ value: '1' }],
      '/bounds/0/kept': [absent, 1],
      '/outcome': [absent, 'ok'],
      '/workers': [absent, 0],
      '/version': ['1'],
    },
  },
  'unix-time': { accepted: [1700000000, 0], refused: { '': notTime } },
  'finish-reason': {
    accepted: ['stop', 'length', 'tool_calls', 'content_filter', 'function_call'],
    refused: { '': ['end', 'STOP', null, 1] },
  },
  version: {
    accepted: [
      { api_version: '1.0', deprecation_date: null },
      {},
      { api_version: 'v1', deprecation_date: '2030-01-31' },
      { api_version: '1', deprecation_date: '2030-01-31T00:00:00Z' },
    ],
    refused: {
      '': [null, [], '1.0'],
      '/api_version': [1, '2.0', '10', 'v1.', '', null],
      '/deprecation_date': ['soon', '2030-02-31', 1700000000, false],
    },
  },
  usage: {
    accepted: [usage, { prompt_tokens: 1, completion_tokens: 0, total_tokens: 1 }],
    refused: {
      '': [null, []],
      '/prompt_tokens': [...notCount, 0],
      '/completion_tokens': notCount,
      '/total_tokens': notCount,
    },
  },
  'tool-call': {
    accepted: [call],
    refused: {
      '': [null, []],
      '/id': notText,
      '/type': [absent, 'tool'],
      '/function': [absent, 'add'],
      '/function/name': notText,
      '/function/arguments': [absent, null, { a: 1 }],
    },
  },
  'tool-definition': {
    accepted: [tool, { type: 'function', function: { name: 'stop' } }],
    refused: {
      '': [null, []],
      '/id': [7],
      '/type': [absent, 'tool'],
      '/function': [absent, 'add'],
      '/function/name': notText,
      '/function/description': [7],
      '/function/parameters': ['object', []],
    },
  },
  'content-part': {
    accepted: [
      image,
      { type: 'text', text: '' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
      ...['auto', 'high'].map((detail) => ({
        type: 'image_url',
        image_url: { url: 'https://example.com/a.png', detail },
      })),
    ],
    refused: {
      '': [null, 'Hi', []],
      '/type': [absent, 'audio'],
      '/text': [7],
      '/image_url': [absent, 'https://example.com/a.png'],
      '/image_url/url': notText,
      '/image_url/detail': ['huge', null],
    },
    alsoRefused: [['/text', { type: 'text' }]],
  },
  message: {
    accepted: [
      {
        role: 'user',
        content: [{ type: 'text', text: 'Hi' }, image],
        name: 'ann',
        tool_calls: [],
        tool_call_id: 'call_1',
      },
      { role: 'system', content: '' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', content: '3', tool_call_id: 'call_1' },
    ],
    refused: {
      '': [null, 'Hi', []],
      '/role': [absent, 'robot', 7],
      '/content': [absent, null, 7, {}, []],
      '/content/0': ['Hi'],
      '/name': [7],
      '/tool_calls': [null, {}],
      '/tool_calls/0': ['add'],
      '/tool_call_id': [7],
    },
    alsoRefused: [
      ['/content', { role: 'user', content: null, tool_calls: [call] }],
      ['/content', { role: 'assistant', content: null }],
      ['/content', { role: 'assistant', content: null, tool_calls: [] }],
      ['/content', { role: 'assistant', content: 7, tool_calls: [call] }],
    ],
  },
  'chat-request': {
    accepted: [
      {
        ...request,
        temperature: 0.7,
        max_tokens: 1000,
        top_p: 1,
        frequency_penalty: 0,
        presence_penalty: 0,
        stream: false,
        stop: [],
        tools: [],
        tool_choice: 'auto',
        user: 'someone',
        seed: 7,
        n: 1,
        stream_options: { include_usage: true },
        something_new: {},
      },
      request,
      { ...request, temperature: 0, top_p: 0, frequency_penalty: -2, presence_penalty: -2, stop: 'a', tools: [tool] },
      { ...request, temperature: 2, frequency_penalty: 2, presence_penalty: 2, stop: ['a', 'b'], tool_choice: 'none' },
      { ...request, stop: null, tool_choice: { type: 'function', function: { name: 'add' } }, stream_options: {} },
      { ...request, tool_choice: 'required', parallel_tool_calls: false, max_tokens: 1 },
    ],
    refused: {
      '': [null, [], 'Hi'],
      '/model': notText,
      '/messages': [absent, [], {}, 'Hi', null],
      '/messages/0': ['Hi'],
      '/temperature': [-0.1, 2.1, '1', null],
      '/max_tokens': [0, -1, 1.5, '5', null],
      '/top_p': [-0.1, 1.1, '1'],
      '/frequency_penalty': [-2.1, 2.1, '1'],
      '/presence_penalty': [-2.1, 2.1, '1'],
      '/stream': ['false', 0, null],
      '/stop': ['', 7, {}],
      '/stop/0': ['', 7],
      '/tools': [{}, null, 'add'],
      '/tools/0': ['add'],
      '/tool_choice': [
        7,
        'any',
        null,
        { type: 'function' },
        { function: { name: 'add' } },
        { type: 'tool', function: { name: 'add' } },
        { type: 'function', function: 'add' },
        { type: 'function', function: {} },
        { type: 'function', function: { name: '' } },
        { type: 'function', function: { name: 7 } },
      ],
      '/user': [7, null],
      '/seed': [1.5, '7'],
      '/n': [2, 0, '1'],
      '/stream_options': [true, null],
      '/stream_options/include_usage': ['yes'],
    },
  },
  'chat-completion': {
    accepted: [
      completion,
      { ...completion, choices: [calling], api_version: '1.0', deprecation_date: null, something_new: 1 },
    ],
    refused: {
      '': [null, [], 'Hi'],
      '/api_version': [1],
      '/id': notText,
      '/object': [absent, 'chat.completion.chunk'],
      '/created': notTime,
      '/model': notText,
      '/choices': [absent, [], {}, [...completion.choices, ...completion.choices]],
      '/choices/0': ['Hi'],
      '/choices/0/index': [absent, 1, '0'],
      '/choices/0/message': [absent, 'Hi'],
      '/choices/0/message/role': [absent, 'user'],
      '/choices/0/message/content': [absent, null, 7],
      '/choices/0/message/tool_calls': [{}],
      '/choices/0/message/tool_calls/0': ['add'],
      '/choices/0/finish_reason': [absent, null, 'end'],
      '/usage': [absent, null],
      '/usage/total_tokens': notCount,
      '/system_fingerprint': [absent, null, 7],
    },
    alsoRefused: [
      [
        '/choices/0/message/content',
        { ...completion, choices: [{ ...calling, message: { ...calling.message, content: 7 } }] },
      ],
      [
        '/choices/0/message/content',
        { ...completion, choices: [{ ...calling, message: { role: 'assistant', content: null } }] },
      ],
    ],
  },
  'chat-chunk': {
    accepted: [
      chunk,
      { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: null, system_fingerprint: null },
      { ...chunk, choices: [{ index: 0, delta: { role: 'assistant', content: null } }], system_fingerprint: 'fp_1' },
      { ...chunk, choices: [{ index: 0, delta: { tool_calls: [{ index: 1, function: {} }] } }] },
      { ...chunk, choices: [], usage, api_version: '1.0', deprecation_date: null },
    ],
    refused: {
      '': [null, [], 'Hi'],
      '/api_version': [1],
      '/id': notText,
      '/object': [absent, 'chat.completion'],
      '/created': notTime,
      '/model': notText,
      '/choices': [absent, [], {}, [...chunk.choices, ...chunk.choices]],
      '/choices/0': ['Hi'],
      '/choices/0/index': [absent, 1],
      '/choices/0/delta': [absent, null, 'Hi'],
      '/choices/0/delta/role': ['user', null],
      '/choices/0/delta/content': [7, {}],
      '/choices/0/delta/tool_calls': [{}, null],
      '/choices/0/delta/tool_calls/0': ['add'],
      '/choices/0/delta/tool_calls/0/index': notCount,
      '/choices/0/delta/tool_calls/0/id': [7],
      '/choices/0/delta/tool_calls/0/type': ['tool'],
      '/choices/0/delta/tool_calls/0/function': ['add'],
      '/choices/0/delta/tool_calls/0/function/name': [7],
      '/choices/0/delta/tool_calls/0/function/arguments': [{}],
      '/choices/0/finish_reason': ['end', ''],
      '/usage': [7, {}, { ...usage, total_tokens: -1 }],
      '/system_fingerprint': [7],
    },
    alsoRefused: [
      ['/choices', { ...chunk, choices: [], usage: null }],
      ['/choices', { ...chunk, choices: [...chunk.choices, ...chunk.choices], usage }],
      ['/choices', { ...chunk, choices: {}, usage }],
    ],
  },
  capabilities: {
    accepted: [capabilities, { ...capabilities, vision: true }],
    refused: {
      '': [null, [], true],
      '/streaming': [absent, 'yes', 1],
      '/tools': [absent, 'yes', 1],
      '/voice': [absent, 'yes', 1],
    },
  },
  model: {
    accepted: [
      { ...model, capabilities },
      { ...model, Capabilities: capabilities },
      { ...entry, capabilities },
    ],
    refused: {
      '': [null, [], 'maker/small'],
      '/api_version': [1],
      '/id': notText,
      '/object': [absent, 'list'],
      '/created': notTime,
      '/owned_by': [absent, 7],
      '/permission': [{}, null],
      '/root': [7, null],
      '/parent': [7],
      '/context_window': [...notCount, 0],
      '/capabilities': [absent, null, ['tools']],
      '/capabilities/voice': [absent, 'yes'],
      '/Capabilities': [null],
    },
    alsoRefused: [
      ['/capabilities', { ...model, Capabilities: capabilities, capabilities: null }],
      ['/Capabilities/voice', { ...model, Capabilities: { streaming: true, tools: true } }],
    ],
  },
  'models-list': {
    accepted: [
      { object: 'list', data: [{ ...entry, capabilities }] },
      {
        object: 'list',
        data: [
          { ...entry, Capabilities: capabilities },
          { ...entry, capabilities },
        ],
        api_version: '1',
      },
    ],
    refused: {
      '': [null, []],
      '/api_version': [1],
      '/object': [absent, 'models'],
      '/data': [absent, [], {}, null],
      '/data/0': ['maker/small'],
      '/data/0/id': notText,
      '/data/0/permission': [absent, null],
      '/data/0/root': [absent, 7],
      '/data/0/parent': [absent, 7],
      '/data/0/capabilities': [absent, null],
    },
  },
  error: {
    accepted: [
      { error },
      { error: { message: 'No', type: 'invalid_request', param: null, code: 'invalid_request' }, api_version: '1.0' },
      { error: { message: 'No', type: 'Server Error', code: 'internal_error' } },
    ],
    refused: {
      '': [null, [], 'No'],
      '/api_version': [1],
      '/error': [absent, 'No', null],
      '/error/message': notText,
      '/error/type': notText,
      '/error/param': [7, ['a']],
      '/error/code': [absent, '', null, 401.5, true],
    },
  },
  'rate-limit-headers': {
    accepted: [
      {
        'x-ratelimit-limit': '100',
        'x-ratelimit-remaining': '95',
        'x-ratelimit-reset': '1700000000',
        'x-ratelimit-used': '5',
        'content-type': 'application/json',
      },
    ],
    refused: {
      '': [null, []],
      '/x-ratelimit-limit': [absent, '0', '-1', '1.5', '', 'unlimited', 100],
      '/x-ratelimit-remaining': [absent, '-1', '9.5', '', 95],
      '/x-ratelimit-reset': [absent, '60', '1700000000000', '1.7e9', 1700000000],
      '/x-ratelimit-used': [absent, '-5', '', 5],
    },
  },
  'ws-start': {
    accepted: [
      { type: 'start', ...request, api_key: 'sk-1' },
      { type: 'start', ...request, max_tokens: 8 },
    ],
    refused: {
      '': [null, []],
      '/type': [absent, 'begin'],
      '/model': notText,
      '/messages': [absent, 'Hi', []],
      '/api_key': ['', null, 7],
    },
  },
  'ws-stop': onlyType('stop'),
  'ws-ping': onlyType('ping'),
  'ws-pong': onlyType('pong'),
  'ws-content': {
    accepted: [
      { type: 'content', content: 'Hi' },
      { type: 'content', content: '' },
    ],
    refused: { '': [null, []], '/type': [absent, 'done'], '/content': [absent, null, 7, ['Hi']] },
  },
  'ws-done': {
    accepted: [{ type: 'done', finish_reason: 'stop', usage }, { type: 'done' }],
    refused: {
      '': [null, []],
      '/type': [absent, 'end'],
      '/finish_reason': ['end', null],
      '/usage': [null, 7],
      '/usage/total_tokens': notCount,
    },
  },
  'ws-error': {
    accepted: [
      { type: 'error', message: 'Unknown model', code: 'model_not_found', param: 'model' },
      { type: 'error', message: 'Unknown model', code: 404, param: null },
      { type: 'error', message: 'Unknown model' },
    ],
    refused: { '': [null, []], '/type': [absent], '/message': notText, '/code': ['', null, 1.5], '/param': [7] },
  },
  'ws-tool-call': {
    accepted: [{ type: 'tool_call', tool_call: call }],
    refused: { '': [null, []], '/type': [absent, 'function'], '/tool_call': [absent, 'add'], '/tool_call/id': notText },
  },
  'ws-tool-result': {
    accepted: [
      { type: 'tool_result', tool_call_id: 'call_1', output: '3', error: null, execution_time_ms: 1.5 },
      { type: 'tool_result', tool_call_id: 'call_1', output: null, error: 'no', execution_time_ms: 0 },
    ],
    refused: {
      '': [null, []],
      '/type': [absent, 'result'],
      '/tool_call_id': notText,
      '/output': [absent, 7],
      '/error': [absent, 7],
      '/execution_time_ms': [absent, '1', -1, null],
    },
  },
  webhook: {
    accepted: [
      told,
      {
        ...told,
        timestamp: '2026-01-31T13:00:00.125+01:00',
        data: { ...told.data, execution_time_ms: 0, result: null },
      },
      { ...told, event: 'tool_call.started', data: { tool_call_id: 'call_1', tool_name: 'add' } },
      { ...told, event: 'generation.done', data: {} },
      { ...told, event: 'generation.begun', data: { more: true } },
    ],
    refused: {
      '': [null, [], 'tool_call.completed'],
      '/event': [absent, '', null, 7],
      '/timestamp': [absent, 1700000000, '1700000000', '2026-01-31', '2026-01-31T12:00:00', 'now', null],
      '/data': [absent, null, [], 'add'],
      '/data/tool_call_id': notText,
      '/data/tool_name': notText,
      '/data/execution_time_ms': [absent, '12', -1, null],
      '/data/result': [absent],
    },
  },
};

describe.each(Object.keys(schemas) as SchemaName[])('%s', (name) => {
  const { accepted, refused, alsoRefused = [] } = cases[name];

  test.each(accepted)('accepts %j', (value) => {
    expect(problemsOf(name, value)).toEqual([]);
  });

  const changes = Object.entries(refused).flatMap(([pointer, parts]) =>
    parts.map((part) => [pointer, part, changed(accepted[0], pointer, part)] as const),
  );
  const others = alsoRefused.map(([pointer, value]) => [pointer, value, value] as const);
  test.each([...changes, ...others])('refuses at "%s" %j', (pointer, _, value) => {
    expect(problemsOf(name, value).map((problem) => problem.pointer)).toEqual([pointer]);
  });
});

test('every schema is named after its file and explains itself', () => {
  for (const [name, schema] of Object.entries(schemas)) {
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(schema.$id).toBe(`stack29:/schemas/${name}.json`);
    expect(schema.title).toMatch(/^[A-Z]\w+$/);
    expect(schema.description).toMatch(/\.$/);
  }
});

/** A copy of `value` in which the part at `pointer` is another, or is gone. */
function changed(value: Json | undefined, pointer: string, part: Json | undefined): unknown {
  const whole = { '': structuredClone(value) } as Record<string, Json | undefined>;
  const keys = pointer.split('/');
  const last = keys.pop() ?? '';
  const parent = keys.reduce((inner, key) => inner[key] as Record<string, Json | undefined>, whole);
  if (part === undefined) delete parent[last];
  else parent[last] = part;
  return whole[''];
}
