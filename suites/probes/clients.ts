import type { ClientFacts, ClientName } from '../../specs/evidence.ts';
import type { RequirementId } from '../../specs/requirements/index.ts';
import { argumentsIn } from '../calls.ts';
import { parseJson } from '../chunks.ts';
import { looksLikeEvents } from '../events.ts';
import { expectEach, expectEqual, expectStatus, expectThat, need } from '../expect.ts';
import { isObject, member } from '../member.ts';
import { type BoundProbe, type ClientSeen, type Context, defineProbe, type Judgement } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { answerText, finishReason } from './answer.ts';
import { errorOf } from './error-identifiers.ts';
import { needAnsweredChat, needExhaustedKey, needKeyKnown } from './prerequisites.ts';

interface Case {
  readonly facts: ClientFacts;
  /** The exchange behind them, as it went through the suite. */
  readonly reply: Reply;
}

/** @throws Inconclusive where the program did not come to the case */
function caseOf({ facts, replies, problem, client }: ClientSeen, name: string): Case {
  const found = facts.find((told) => told.case === name);
  const reply = replies.get(name);
  need(found !== undefined && reply !== undefined, problem ?? `the program of ${client} sent no request for it`);
  return { facts: found, reply };
}

/** The client was answered, and took the answer for one. */
function answered(seen: ClientSeen, name: string, context: Context): Case {
  needAnsweredChat(context);
  const { facts, reply } = caseOf(seen, name);
  expectStatus(reply, 200);
  const { error } = facts;
  expectThat(reply, `what ${seen.client} makes of it`, error === undefined, 'an answer', error);
  return { facts, reply };
}

const givesText: Judgement<ClientSeen> = (seen, context) => {
  const { facts, reply } = answered(seen, 'chat', context);
  return expectEqual(reply, `the content that ${seen.client} gives`, facts.content ?? '', answerText(reply));
};

const readsStream: Judgement<ClientSeen> = (seen, context) => {
  const { facts, reply } = answered(seen, 'stream', context);
  expectEqual(reply, `the content that ${seen.client} gives`, facts.content ?? '', answerText(reply));
  return expectEqual(reply, `the finish_reason that ${seen.client} gives`, facts.ending, finishReason(reply));
};

interface Refusal {
  readonly name: string;
  readonly status: number;
  /** The class of the client library for it. */
  readonly thrown: string;
}

const refusals: readonly Refusal[] = [
  { name: 'wrong-key', status: 401, thrown: 'AuthenticationError' },
  { name: 'unknown-model', status: 404, thrown: 'NotFoundError' },
  { name: 'bad-parameter', status: 400, thrown: 'BadRequestError' },
];

function expectThrown(seen: ClientSeen, { name, status, thrown }: Refusal): undefined {
  const { facts, reply } = caseOf(seen, name);
  expectStatus(reply, status);
  const { error } = facts;
  expectEqual(reply, `the class that ${seen.client} throws`, error?.class, thrown);
  expectEqual(reply, `the status that ${seen.client} gives`, error?.status, status);
  const message = errorOf(reply)?.message;
  need(typeof message === 'string', 'the error has no message to be seen by the client');
  const told = error?.message ?? '';
  return expectThat(reply, `the message that ${seen.client} gives`, told.includes(message), message, told);
}

const throwsClasses: Judgement<ClientSeen> = (seen, context) => {
  needAnsweredChat(context);
  return expectEach(refusals, (refusal) => expectThrown(seen, refusal));
};

const throwsRateLimit: Judgement<ClientSeen> = (seen, context) => {
  needExhaustedKey(context);
  needAnsweredChat(context);
  needKeyKnown(caseOf(seen, 'rate-limit').reply);
  return expectThrown(seen, { name: 'rate-limit', status: 429, thrown: 'RateLimitError' });
};

const offersTool = (name: string) => name.startsWith('tools');

function lacks(
  capability: 'tools' | 'streaming',
  { options: { without = [] }, baseline: { models, model } }: Context,
): boolean {
  return without.includes(capability) || models.find(({ id }) => id === model)?.[capability] === false;
}

/** Whether a target is asked for a case: not for what it lacks, nor with a key that was not given. */
function isAsked(name: string, context: Context): boolean {
  if (name === 'rate-limit') return context.options.exhaustedKey === true;
  if (name.endsWith('stream') && lacks('streaming', context)) return false;
  return !(offersTool(name) && lacks('tools', context));
}

/** The case of a forced call in one body, and that of a streamed one. */
const forced = ['tools', 'tools-stream'] as const;

const givesCalls: Judgement<ClientSeen> = (seen, context) => {
  needAnsweredChat(context);
  const asked = forced.filter((name) => isAsked(name, context));
  return expectEach(asked, (name) => {
    const { reply } = caseOf(seen, name);
    expectStatus(reply, 200);
    need(
      finishReason(reply) !== 'length',
      'max_tokens ended the answer before its end; choose another model with --model',
    );
    const { calls } = answered(seen, name, context).facts;
    const holds = Array.isArray(calls) && calls.length > 0 && calls.every(isSoundCall);
    return expectThat(reply, `the calls that ${seen.client} gives`, holds, 'write_file with a JSON object', calls);
  });
};

/** LangChain parses the arguments, the openai packages leave them as text. */
function isSoundCall(call: unknown): boolean {
  const given = member(call, 'arguments');
  return member(call, 'name') === 'write_file' && (isObject(given) || argumentsIn(given) !== undefined);
}

/** One JSON body that holds a message, as curl printed it. */
const printsMessage =
  (name: string): Judgement<ClientSeen> =>
  (seen, context) => {
    const { facts, reply } = answered(seen, name, context);
    const message = member(parseJson(String(facts.content)), 'choices', 0, 'message');
    return expectThat(reply, 'what curl prints', isObject(message), 'JSON with choices[0].message', facts.content);
  };

const printsEvents: Judgement<ClientSeen> = (seen, context) => {
  const { facts, reply } = answered(seen, 'stream', context);
  const printed = String(facts.content).replace(/^\ufeff/, '');
  const lines = printed.split(/\r\n|\r|\n/);
  const last = lines.findLast((line) => line.startsWith('data:'));
  const holds = looksLikeEvents(printed) && last?.slice('data:'.length).trim() === '[DONE]';
  return expectThat(reply, 'what curl prints', holds, 'lines of data: that end with [DONE]', facts.content);
};

function clientProbe(
  client: ClientName,
  name: string,
  cases: readonly string[],
  judge: { readonly [Id in RequirementId]?: Judgement<ClientSeen> },
): BoundProbe {
  const tokens = cases.reduce((sum, each) => sum + (offersTool(each) ? 800 : 80), 0);
  return defineProbe<ClientSeen>({
    name,
    cost: { requests: cases.length, tokens },
    act: (target) =>
      target.client(
        client,
        cases.filter((each) => isAsked(each, target)),
      ),
    judge,
  });
}

const ofOpenai = ['chat', 'stream', ...forced, ...refusals.map(({ name }) => name), 'rate-limit'];

export const clientProbes = [
  clientProbe('openai-js', 'chats of the openai package for JavaScript', ofOpenai, {
    'clients.openai-js.chat': givesText,
    'clients.openai-js.stream': readsStream,
    'clients.openai-js.errors': throwsClasses,
    'clients.openai-js.tools': givesCalls,
    'clients.openai-js.rate-limit': throwsRateLimit,
  }),
  clientProbe('openai-python', 'chats of the openai package for Python', ofOpenai, {
    'clients.openai-python.chat': givesText,
    'clients.openai-python.stream': readsStream,
    'clients.openai-python.errors': throwsClasses,
    'clients.openai-python.tools': givesCalls,
    'clients.openai-python.rate-limit': throwsRateLimit,
  }),
  clientProbe('langchain', "chats of LangChain's ChatOpenAI", ['chat', 'stream', ...forced], {
    'clients.langchain.chat': givesText,
    'clients.langchain.stream': readsStream,
    'clients.langchain.tools': givesCalls,
  }),
  clientProbe('curl', 'chats of curl', ['chat', 'stream', 'system-prompt', 'tools'], {
    'clients.curl.chat': printsMessage('chat'),
    'clients.curl.stream': printsEvents,
    'clients.curl.system-prompt': printsMessage('system-prompt'),
    'clients.curl.tools': printsMessage('tools'),
  }),
];
