import type { ClientFacts, ClientName } from '../../specs/evidence.ts';
import type { RequirementId } from '../../specs/requirements/index.ts';
import { parseJson } from '../chunks.ts';
import { looksLikeEvents } from '../events.ts';
import { expectEach, expectEqual, expectStatus, expectThat, need } from '../expect.ts';
import { isObject, member } from '../member.ts';
import { type BoundProbe, type ClientSeen, type Context, defineProbe, type Judgement } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { answerText, finishReason } from './answer.ts';
import { errorOf } from './error-identifiers.ts';
import { needAnsweredChat } from './prerequisites.ts';

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

const refusals = [
  { name: 'wrong-key', status: 401, thrown: 'AuthenticationError' },
  { name: 'unknown-model', status: 404, thrown: 'NotFoundError' },
  { name: 'bad-parameter', status: 400, thrown: 'BadRequestError' },
] as const;

const throwsClasses: Judgement<ClientSeen> = (seen, context) => {
  needAnsweredChat(context);
  return expectEach(refusals, ({ name, status, thrown }) => {
    const { facts, reply } = caseOf(seen, name);
    expectStatus(reply, status);
    const { error } = facts;
    expectEqual(reply, `the class that ${seen.client} throws`, error?.class, thrown);
    const message = errorOf(reply)?.message;
    need(typeof message === 'string', 'the error has no message to be seen by the client');
    const told = error?.message ?? '';
    return expectThat(reply, `the message that ${seen.client} gives`, told.includes(message), message, told);
  });
};

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
  requests: number,
  judge: { readonly [Id in RequirementId]?: Judgement<ClientSeen> },
): BoundProbe {
  return defineProbe<ClientSeen>({
    name,
    cost: { requests, tokens: requests * 80 },
    act: (target) => target.client(client),
    judge,
  });
}

export const clientProbes = [
  clientProbe('openai-js', 'chats of the openai package for JavaScript', 5, {
    'clients.openai-js.chat': givesText,
    'clients.openai-js.stream': readsStream,
    'clients.openai-js.errors': throwsClasses,
  }),
  clientProbe('openai-python', 'chats of the openai package for Python', 5, {
    'clients.openai-python.chat': givesText,
    'clients.openai-python.stream': readsStream,
    'clients.openai-python.errors': throwsClasses,
  }),
  clientProbe('langchain', "chats of LangChain's ChatOpenAI", 2, {
    'clients.langchain.chat': givesText,
    'clients.langchain.stream': readsStream,
  }),
  clientProbe('curl', 'chats of curl', 4, {
    'clients.curl.chat': printsMessage('chat'),
    'clients.curl.stream': printsEvents,
    'clients.curl.system-prompt': printsMessage('system-prompt'),
    'clients.curl.tools': printsMessage('tools'),
  }),
];
