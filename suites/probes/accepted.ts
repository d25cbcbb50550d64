import type { RequirementId } from '../../specs/requirements/index.ts';
import { expectEach, expectStatus, expectThat, jsonOf, need } from '../expect.ts';
import { member } from '../member.ts';
import { type BoundProbe, type ChatMembers, type Context, defineProbe } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { needAnsweredChat } from './prerequisites.ts';
import { ask, weatherTool } from './prompts.ts';

interface Acceptance {
  readonly id: RequirementId;
  /** The requests that must be answered with 200, as changes to a plain chat. */
  readonly chats: readonly ChatMembers[];
}

const acceptances: readonly Acceptance[] = [
  {
    id: 'chat.request.every-parameter',
    chats: [
      {
        messages: [
          { role: 'system', content: 'You answer in one word.' },
          { role: 'user', content: 'Name a number.' },
        ],
        temperature: 0.7,
        max_tokens: 1000,
        top_p: 1,
        frequency_penalty: 0,
        presence_penalty: 0,
        stream: false,
        stop: null,
        tools: [],
        tool_choice: 'auto',
        user: 'stack29-conformance',
      },
    ],
  },
  {
    id: 'chat.messages.roles',
    chats: [
      {
        messages: [
          { role: 'system', content: 'You answer in one word.' },
          { role: 'user', content: 'Name a number.' },
          { role: 'assistant', content: 'Seven' },
          { role: 'user', content: 'Another.' },
        ],
      },
    ],
  },
  { id: 'chat.messages.name', chats: [{ messages: [{ role: 'user', content: 'Hello', name: 'ada' }] }] },
  {
    // Of two, three and four bytes in UTF-8, one of two units in UTF-16, one of several characters.
    id: 'chat.messages.unicode',
    chats: [{ messages: ask('Say: naïve, λ, 漢字, 🙂, e\u0301.') }],
  },
  {
    id: 'chat.messages.every-member',
    chats: [
      { messages: [{ role: 'user', content: 'Hello', name: 'ada', tool_calls: [], tool_call_id: 'call_stack29' }] },
    ],
  },
  { id: 'chat.temperature.range', chats: [{ temperature: 0 }, { temperature: 2 }] },
  // The other end, its default, is part of the chat that gives every parameter.
  { id: 'chat.top-p.range', chats: [{ top_p: 0.5 }] },
  { id: 'chat.frequency-penalty.range', chats: [{ frequency_penalty: -2 }, { frequency_penalty: 2 }] },
  { id: 'chat.presence-penalty.range', chats: [{ presence_penalty: -2 }, { presence_penalty: 2 }] },
  { id: 'chat.stop.null', chats: [{ stop: null }] },
  { id: 'chat.tools.empty', chats: [{ tools: [] }] },
  { id: 'tools.definition.id', chats: [{ tools: [{ ...weatherTool, id: 'call_stack29' }] }] },
  { id: 'chat.tool-choice.auto', chats: [{ tools: [weatherTool], tool_choice: 'auto' }] },
  { id: 'chat.user.accepted', chats: [{ user: 'stack29-conformance' }] },
];

function accepts({ id, chats }: Acceptance): BoundProbe {
  return defineProbe<readonly Reply[]>({
    name: `a chat for ${id}`,
    cost: { requests: chats.length, tokens: chats.length * (id === 'chat.request.every-parameter' ? 1060 : 60) },
    act: (target) => Promise.all(chats.map((members) => target.chat(members))),
    judge: {
      [id]: (replies: readonly Reply[], context: Context) => {
        needAnsweredChat(context);
        return expectEach(replies, (reply) => expectStatus(reply, 200));
      },
    },
  });
}

const noCalls = defineProbe({
  name: 'a chat that forbids tool calls',
  cost: { requests: 1, tokens: 120 },
  act: (target) =>
    target.chat({ messages: ask('What is the weather in Oslo?'), tools: [weatherTool], tool_choice: 'none' }),
  judge: {
    'chat.tool-choice.none': (reply) => {
      const calls = member(jsonOf(reply), 'choices', 0, 'message', 'tool_calls');
      const none = calls === undefined || calls === null || (Array.isArray(calls) && calls.length === 0);
      return expectThat(reply, 'tool_calls', none, 'no tool calls', calls);
    },
  },
});

const oneBody = (reply: Reply) => expectThat(reply, 'media type', !reply.isStream, 'application/json', reply.mediaType);

const plainChat = defineProbe({
  name: 'a plain chat',
  cost: { requests: 0, tokens: 0 },
  act: async (target) => target.baseline.chat,
  judge: {
    'chat.response.status': (reply) => {
      need(reply.status !== 401 && reply.status !== 403, 'the target does not accept the key');
      return expectStatus(reply, 200);
    },
    'chat.stream.default': (reply, context) => {
      needAnsweredChat(context);
      return oneBody(reply);
    },
  },
});

const streamFalse = defineProbe({
  name: 'a chat with stream false',
  cost: { requests: 1, tokens: 60 },
  act: (target) => target.chat({ stream: false }),
  judge: {
    'chat.stream.false': (reply, context) => {
      needAnsweredChat(context);
      expectStatus(reply, 200);
      return oneBody(reply);
    },
  },
});

export const acceptedProbes = [...acceptances.map(accepts), noCalls, plainChat, streamFalse];
