import { ApiError } from '../api-error.ts';
import type { Behaviour, Step } from '../behaviour.ts';
import { asked, type Members } from '../change.ts';
import { headerDialects } from '../dialects/headers.ts';
import { streamDialects } from '../dialects/streams.ts';
import { deciding, refusing } from './checks.ts';
import type { Faults } from './fault.ts';
import { callingNothing } from './tools.ts';

type Client = 'openai-js' | 'openai-python' | 'langchain' | 'curl';

/** The programs of the suite say in `user` which they are; nothing else in a request tells clients apart for certain. */
const isOf = (client: Client) => (user: unknown) => user === `stack29-conformance ${client}`;

/** Refuses good requests of one client, as a gateway does that knows it by its looks. */
const turningAway = (client: Client, when: (request: Members) => boolean): Behaviour =>
  refusing('user', (user, request) => isOf(client)(user) && when(request));

/** Refuses to one client with another error what it refuses to all. */
const refusingOtherwise = (client: Client, step: Step, instead: ApiError): Behaviour =>
  deciding(step, (exchange, refusal) => refusal !== undefined && isOf(client)(asked(exchange).user), instead);

/** An unknown model is an error of the server to one client. */
const failingOnModel = (client: Client): Behaviour =>
  refusingOtherwise(client, 'model', new ApiError('internal_error', 'the server failed to answer this request'));

/** That the tokens of the day are used up is an error in the request of one client. */
const blamingRequest = (client: Client): Behaviour =>
  refusingOtherwise(client, 'tokens', new ApiError('invalid_request', 'no tokens are left today'));

/** One client gets text where it forces a call, in a stream or in one body. */
const withoutCall = (client: Client, inStream: boolean): Behaviour =>
  callingNothing((exchange) => {
    const { user, tools, stream = false } = asked(exchange);
    return isOf(client)(user) && tools !== undefined && stream === inStream;
  });

const streamed = ({ stream, tools }: Members) => stream === true && tools === undefined;
const plain = ({ stream, tools }: Members) => stream !== true && tools === undefined;
/** Of the plain chats of the openai packages one alone gives the temperature that is shown. */
const asShown = ({ temperature }: Members) => temperature === 0.7;
const forcing = ({ tools }: Members) => tools !== undefined;
const alone = ({ stream, messages, tools }: Members) =>
  stream !== true && tools === undefined && Array.isArray(messages) && messages.length === 1;

export const clientFaults = {
  'openai-js-chat-refused': {
    description: 'plain chats of the openai package for JavaScript are refused',
    trips: ['clients.openai-js.chat'],
    behaviour: turningAway('openai-js', asShown),
  },
  'media-type-unread-by-openai-js': {
    description: 'media types are in capitals, which HTTP allows and one client takes for text',
    trips: ['clients.openai-js.chat', 'clients.openai-js.tools'],
    behaviour: headerDialects['content-type-capital'].behaviour,
  },
  'mark-unread-by-openai-python': {
    description: 'streams begin with a byte order mark, which costs some clients the first event',
    trips: [
      'clients.openai-python.stream',
      'clients.openai-python.tools',
      'clients.langchain.stream',
      'clients.langchain.tools',
    ],
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
  'openai-js-tools-refused': {
    description: 'chats of the openai package for JavaScript that force a call are refused',
    trips: ['clients.openai-js.tools'],
    behaviour: turningAway('openai-js', forcing),
  },
  'openai-js-call-left-out': {
    description: 'the openai package for JavaScript gets text where it forces a call in one body',
    trips: ['clients.openai-js.tools'],
    behaviour: withoutCall('openai-js', false),
  },
  'openai-js-rate-limit-malformed': {
    description: 'the openai package for JavaScript gets a 400 where the tokens of the day are used up',
    trips: ['clients.openai-js.rate-limit'],
    behaviour: blamingRequest('openai-js'),
  },
  'openai-python-chat-refused': {
    description: 'plain chats of the openai package for Python are refused',
    trips: ['clients.openai-python.chat'],
    behaviour: turningAway('openai-python', asShown),
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
  'openai-python-call-left-out': {
    description: 'the openai package for Python gets text where it forces a call in one body',
    trips: ['clients.openai-python.tools'],
    behaviour: withoutCall('openai-python', false),
  },
  'openai-python-call-left-out-of-stream': {
    description: 'the openai package for Python gets text where it forces a call in a stream',
    trips: ['clients.openai-python.tools'],
    behaviour: withoutCall('openai-python', true),
  },
  'openai-python-rate-limit-malformed': {
    description: 'the openai package for Python gets a 400 where the tokens of the day are used up',
    trips: ['clients.openai-python.rate-limit'],
    behaviour: blamingRequest('openai-python'),
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
  'langchain-call-left-out': {
    description: 'LangChain gets text where it forces a call in a stream',
    trips: ['clients.langchain.tools'],
    behaviour: withoutCall('langchain', true),
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
    behaviour: turningAway('curl', forcing),
  },
} as const satisfies Faults;
