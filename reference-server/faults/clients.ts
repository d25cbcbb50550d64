import { ApiError } from '../api-error.ts';
import type { Behaviour } from '../behaviour.ts';
import { asked, type Members } from '../change.ts';
import { headerDialects } from '../dialects/headers.ts';
import { streamDialects } from '../dialects/streams.ts';
import { deciding, refusing } from './checks.ts';
import type { Faults } from './fault.ts';

type Client = 'openai-js' | 'openai-python' | 'langchain' | 'curl';

/** The programs of the suite say in `user` which they are; nothing else in a request tells clients apart for certain. */
const isOf = (client: Client) => (user: unknown) => user === `stack29-conformance ${client}`;

/** Refuses good requests of one client, as a gateway does that knows it by its looks. */
const turningAway = (client: Client, when: (request: Members) => boolean): Behaviour =>
  refusing('user', (user, request) => isOf(client)(user) && when(request));

/** An unknown model is an error of the server to one client. */
const failingOnModel = (client: Client): Behaviour =>
  deciding(
    'model',
    (exchange, refusal) => refusal !== undefined && isOf(client)(asked(exchange).user),
    new ApiError('internal_error', 'the server failed to answer this request'),
  );

const streamed = ({ stream }: Members) => stream === true;
const plain = ({ stream, temperature, model }: Members) =>
  stream !== true && temperature !== 9 && model !== 'stack29-conformance/no-such-model';
const alone = ({ stream, messages, tools }: Members) =>
  stream !== true && tools === undefined && Array.isArray(messages) && messages.length === 1;

export const clientFaults = {
  'openai-js-chat-refused': {
    description: 'plain chats of the openai package for JavaScript are refused',
    trips: ['clients.openai-js.chat'],
    behaviour: turningAway('openai-js', plain),
  },
  'media-type-unread-by-openai-js': {
    description: 'media types are in capitals, which HTTP allows and one client takes for text',
    trips: ['clients.openai-js.chat'],
    behaviour: headerDialects['content-type-capital'].behaviour,
  },
  'mark-unread-by-openai-python': {
    description: 'streams begin with a byte order mark, which costs some clients the first event',
    trips: ['clients.openai-python.stream', 'clients.langchain.stream'],
    behaviour: streamDialects['sse-mark'].behaviour,
  },
  'openai-js-stream-refused': {
    description: 'streamed chats of the openai package for JavaScript are refused',
    trips: ['clients.openai-js.stream'],
    behaviour: turningAway('openai-js', streamed),
  },
  'openai-js-error-fails': {
    description: 'the openai package for JavaScript gets a 500 for an unknown model',
    trips: ['clients.openai-js.errors'],
    behaviour: failingOnModel('openai-js'),
  },
  'openai-python-chat-refused': {
    description: 'plain chats of the openai package for Python are refused',
    trips: ['clients.openai-python.chat'],
    behaviour: turningAway('openai-python', plain),
  },
  'openai-python-stream-refused': {
    description: 'streamed chats of the openai package for Python are refused',
    trips: ['clients.openai-python.stream'],
    behaviour: turningAway('openai-python', streamed),
  },
  'openai-python-error-fails': {
    description: 'the openai package for Python gets a 500 for an unknown model',
    trips: ['clients.openai-python.errors'],
    behaviour: failingOnModel('openai-python'),
  },
  'langchain-chat-refused': {
    description: 'plain chats of LangChain are refused',
    trips: ['clients.langchain.chat'],
    behaviour: turningAway('langchain', plain),
  },
  'langchain-stream-refused': {
    description: 'streamed chats of LangChain are refused',
    trips: ['clients.langchain.stream'],
    behaviour: turningAway('langchain', streamed),
  },
  'curl-chat-refused': {
    description: 'the plain chat of curl is refused',
    trips: ['clients.curl.chat'],
    behaviour: turningAway('curl', alone),
  },
  'curl-stream-refused': {
    description: 'the streamed chat of curl is refused',
    trips: ['clients.curl.stream'],
    behaviour: turningAway('curl', streamed),
  },
  'curl-system-prompt-refused': {
    description: 'the chat of curl with a system message is refused',
    trips: ['clients.curl.system-prompt'],
    behaviour: turningAway('curl', ({ messages }) => Array.isArray(messages) && messages.length === 2),
  },
  'curl-tools-refused': {
    description: 'the chat of curl that offers a tool is refused',
    trips: ['clients.curl.tools'],
    behaviour: turningAway('curl', ({ tools }) => tools !== undefined),
  },
} as const satisfies Faults;
