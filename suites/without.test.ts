import { describe, expect, test } from 'vitest';
import { ApiError } from '../reference-server/api-error.ts';
import type { Behaviour } from '../reference-server/behaviour.ts';
import { asked, inBody, inTurn } from '../reference-server/change.ts';
import { capabilities, capabilitiesOf } from '../specs/capabilities.ts';
import type { EvidenceLine } from '../specs/evidence.ts';
import type { Capability } from '../specs/requirement.ts';
import { requirementIds, requirements } from '../specs/requirements/index.ts';
import { trialBackend, trySubject } from './self-test.ts';

interface Lack {
  /** A server that has it not. */
  readonly behaviour: Behaviour;
  /** Whether what a run saw is a use of it. */
  isUse(line: EvidenceLine): boolean;
}

const refusing = (isAsked: (body: Readonly<Record<string, unknown>>) => boolean): Behaviour => ({
  decide: (refusal, step, exchange) =>
    refusal ??
    (step === 'body' && isAsked(asked(exchange))
      ? new ApiError('invalid_request', 'this is not to be had')
      : undefined),
});

const saidIn = (line: EvidenceLine) =>
  line.kind === 'exchange' ? `${line.request.body} ${JSON.stringify(line.request.dialog)}` : '';
const offersTools = /\\?"tools\\?":\[\{/;
const streams = /\\?"stream\\?":true/;
const shows = /\\?"image_url\\?"/;

const lacks: Readonly<Record<Capability, Lack>> = {
  streaming: {
    behaviour: refusing(({ stream }) => stream === true),
    isUse: (line) => streams.test(saidIn(line)),
  },
  tools: {
    behaviour: refusing(({ tools }) => Array.isArray(tools) && tools.length > 0),
    isUse: (line) => offersTools.test(saidIn(line)),
  },
  vision: {
    behaviour: refusing((body) => shows.test(JSON.stringify(body))),
    isUse: (line) => shows.test(saidIn(line)),
  },
  websocket: {
    behaviour: {
      socket: {
        decide: (refusal, step) =>
          step === 'upgrade' ? new ApiError('invalid_request', 'there are no sockets', { status: 404 }) : refusal,
      },
    },
    isUse: (line) => line.kind === 'exchange' && line.request.dialog !== undefined,
  },
  webhooks: { behaviour: { tell: () => [] }, isUse: ({ kind }) => kind === 'wait' },
};

const whole = trialBackend();

async function judge(behaviour: Behaviour, without: readonly Capability[]) {
  const lines: EvidenceLine[] = [];
  const subject = { kind: 'dialect', name: 'lacking', description: '', expected: [], behaviour } as const;
  const { report } = await trySubject(subject, whole, {
    timeoutMs: 5_000,
    without,
    record: (line) => lines.push(line),
  });
  // The programs of real clients are not run here.
  return { lines, results: report.results.filter(({ id }) => requirements[id].profile !== 'clients') };
}

describe.each(capabilities)('a target that is said to lack %s, and does', (capability) => {
  const { behaviour, isUse } = lacks[capability];

  test('is asked for nothing of it, and judged in all the rest', async () => {
    const { lines, results } = await judge(behaviour, [capability]);
    expect(lines.filter(isUse)).toEqual([]);
    const verdicts = (of: readonly string[]) =>
      results.filter(({ verdict }) => of.includes(verdict)).map(({ id }) => id);
    expect(verdicts(['fail', 'warn', 'note', 'inconclusive', 'error'])).toEqual([]);
    const about = requirementIds.filter((id) => capabilitiesOf(id).includes(capability));
    expect(verdicts(['not-applicable'])).toEqual(
      expect.arrayContaining(about.filter((id) => requirements[id].profile !== 'clients')),
    );
  });
});

test.each(['streaming', 'tools'] as const)(
  'a target whose model declares that it lacks %s is not asked for it',
  async (one) => {
    const declared = {
      ...lacks[one].behaviour,
      ...inTurn(inBody('models', `/data/0/capabilities/${one}`, false), inBody('model', `/capabilities/${one}`, false)),
    };
    const { lines, results } = await judge(declared, []);
    expect(lines.filter(lacks[one].isUse)).toEqual([]);
    expect(
      results.filter(({ verdict }) => ['fail', 'warn', 'note', 'inconclusive', 'error'].includes(verdict)),
    ).toEqual([]);
  },
);

test('the use of each is seen where a target has all of them', async () => {
  const { lines } = await judge({}, []);
  expect(capabilities.filter((one) => !lines.some(lacks[one].isUse))).toEqual([]);
});
