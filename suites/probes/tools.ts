import { mismatch } from '../../specs/json-schema.ts';
import { argumentsIn, callsOf } from '../calls.ts';
import { expectEach, expectStatus, expectThat, NotApplicable, need } from '../expect.ts';
import { lacks } from '../lacking.ts';
import { isObject, member } from '../member.ts';
import { type Context, defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { askedFor } from '../universal/rule.ts';
import { finishReason } from './answer.ts';
import { expectIdentifier } from './error-identifiers.ts';
import { needAnsweredChat } from './prerequisites.ts';
import { failingCode, forceCode, soundCode } from './programs.ts';
import { ask, clockTool, weatherTool } from './prompts.ts';

const wanted = weatherTool.function;
const question = {
  messages: ask('What is the weather in Oslo?'),
  // A model may think before it calls.
  max_tokens: 512,
};
/** The one that is named comes last, so that a server which takes the first is seen. */
const byName = {
  ...question,
  tools: [clockTool, weatherTool],
  tool_choice: { type: 'function', function: { name: wanted.name } },
};
/** Where no function is named, the first is the one whose arguments show more. */
const freely = { ...question, tools: [weatherTool, clockTool] };
const byRequired = { ...freely, tool_choice: 'required' };

const nameOf = (call: unknown) => member(call, 'function', 'name');

/** An answer that had to call a function: it was given, and max_tokens did not end it before it could. */
function expectAnswered(reply: Reply, context: Context): undefined {
  needAnsweredChat(context);
  need(reply.status === 200 || reply.status >= 400, `the answer had status ${reply.status}`);
  expectStatus(reply, 200);
  need(finishReason(reply) !== 'length' || callsOf(reply).length > 0, 'max_tokens ended the answer before a call');
}

function expectCallsOf(reply: Reply, names: readonly string[], context: Context): undefined {
  expectAnswered(reply, context);
  const called = callsOf(reply).map(nameOf);
  need(
    called.every((name) => typeof name === 'string' && name !== ''),
    'a call does not name its function',
  );
  const holds = called.length > 0 && called.every((name) => names.some((known) => known === name));
  return expectThat(reply, 'called functions', holds, `one call or more of ${names.join(' or ')}`, called);
}

/** OpenAI itself ends a call that was forced by name with stop. */
function expectFinishReason(reply: Reply): undefined {
  need(callsOf(reply).length > 0, 'the answer calls nothing');
  const reason = finishReason(reply);
  need(reason !== 'length', 'max_tokens ended the answer amid a call');
  const accepted = isByName(reply) ? ['tool_calls', 'stop'] : ['tool_calls'];
  return expectThat(
    reply,
    'finish_reason',
    accepted.some((known) => known === reason),
    accepted.join(' or '),
    reason,
  );
}

const isWanted = (call: unknown) => nameOf(call) === wanted.name;

function expectArgumentsValid(reply: Reply): undefined {
  need(finishReason(reply) !== 'length', 'max_tokens ended the answer amid a call');
  return expectEach(callsOf(reply).filter(isWanted), (call) => {
    const text = member(call, 'function', 'arguments');
    const given = argumentsIn(text);
    need(given !== undefined, 'the arguments are not the text of a JSON object');
    const holds = mismatch(wanted.parameters, given) === undefined;
    return expectThat(reply, 'arguments', holds, 'a city, a string', text);
  });
}

interface Forced {
  readonly named: Reply;
  readonly required: Reply;
  /** Left to the model, where the target refuses to have a call forced. */
  readonly free: Reply | undefined;
  readonly streamed: Reply | undefined;
}

const isRefused = ({ status }: Reply) => status === 400 || status === 422;
const isByName = (reply: Reply) => isObject(askedFor(reply).tool_choice);

function answersOf({ named, required, free }: Forced): readonly Reply[] {
  return free ? [named, required, free] : [named, required];
}

const forcedCalls = defineProbe<Forced>({
  name: 'chats that force a tool call, by name and by "required", and a stream',
  cost: { requests: 4, tokens: 3_200 },
  async act(target) {
    const [named, required] = await Promise.all([target.chat(byName), target.chat(byRequired)]);
    const none = isRefused(named) && isRefused(required);
    const form = none ? freely : isRefused(named) ? byRequired : byName;
    const [free, streamed] = await Promise.all([
      none ? target.chat(freely) : undefined,
      lacks('streaming', target) ? undefined : target.chat({ ...form, stream: true }),
    ]);
    return { named, required, free, streamed };
  },
  judge: {
    'tools.choice.named': ({ named }, context) => expectCallsOf(named, [wanted.name], context),
    'tools.choice.required': ({ required }, context) =>
      expectCallsOf(
        required,
        freely.tools.map((tool) => tool.function.name),
        context,
      ),
    'tools.choice.finish-reason': (seen) => {
      const calling = answersOf(seen).filter((reply) => reply.status === 200 && callsOf(reply).length > 0);
      need(calling.length > 0, 'no answer calls anything');
      return expectEach(calling, expectFinishReason);
    },
    'tools.call.arguments-valid': (seen) => {
      const reply = answersOf(seen).find((answer) => answer.status === 200 && callsOf(answer).some(isWanted));
      need(reply !== undefined, `no answer calls ${wanted.name}`);
      return expectArgumentsValid(reply);
    },
    'tools.stream.named': ({ streamed }, context) => {
      need(streamed !== undefined, 'no stream was asked for');
      if (!isByName(streamed)) throw new NotApplicable('the target refuses a tool_choice that names a function');
      need(streamed.status !== 200 || streamed.isStream, 'the answer is not an event stream');
      return expectCallsOf(streamed, [wanted.name], context);
    },
    'tools.stream.finish-reason': ({ streamed }) => {
      need(streamed?.isStream === true, 'the answer is not an event stream');
      return expectFinishReason(streamed);
    },
  },
});

const callId = 'call_stack29';
/** A result as the document shows it. */
const result = { tool_call_id: callId, output: '7 degrees, rain', error: null, execution_time_ms: 29 };

const resultGiven = defineProbe<Reply>({
  name: 'a conversation with a tool call and its result',
  cost: { requests: 1, tokens: 300 },
  act: (target) =>
    target.chat({
      messages: [
        ...question.messages,
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: callId, type: 'function', function: { name: wanted.name, arguments: '{"city":"Oslo"}' } }],
        },
        { role: 'tool', tool_call_id: callId, content: JSON.stringify(result) },
      ],
      tools: [weatherTool],
    }),
  judge: {
    'tools.result.accepted': (reply, context) => {
      needAnsweredChat(context);
      return expectStatus(reply, 200);
    },
  },
});

interface Programs {
  readonly sound: Reply;
  readonly failing: Reply;
}

/** The failing program was run where the sound one was, and its call not left to the client. */
function needRun({ sound }: Programs): undefined {
  need(
    sound.status === 200 && callsOf(sound).length === 0,
    'the target did not run a sound program to its end by itself, so a failing one shows nothing',
  );
}

const programs = defineProbe<Programs>({
  name: 'programs for a target that runs execute_code itself: one that is sound, one that fails',
  cost: { requests: 2, tokens: 1_600 },
  async act(target) {
    const language = target.options.runsTools;
    need(language !== undefined, 'needs a target that runs execute_code itself: say so with --runs-tools javascript');
    const [sound, failing] = await Promise.all(
      [soundCode, failingCode].map((code) => target.chat(forceCode(code, language))),
    );
    need(sound !== undefined && failing !== undefined, 'two requests were sent');
    return { sound, failing };
  },
  judge: {
    'tools.failure.status': (seen) => {
      needRun(seen);
      need(seen.failing.status !== 200, 'the answer does not show whether the failing program was run');
      return expectStatus(seen.failing, 422);
    },
    'tools.failure.identifier': (seen) => {
      needRun(seen);
      return expectIdentifier(seen.failing, 422, 'tool_error');
    },
  },
});

export const toolProbes = [forcedCalls, resultGiven, programs];
