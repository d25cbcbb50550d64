import type { RequirementTable } from '../requirement.ts';

const client = { level: 'MUST', profile: 'clients', need: 'client-programs' } as const;
const javascript = { ...client, source: 'sdks/javascript' } as const;
const python = { ...client, source: 'sdks/python' } as const;
const langchain = { ...client, source: 'sdks/openai-compatible' } as const;
const curl = { ...client, source: 'sdks/curl' } as const;
const compatible =
  'the document shows its use, so it must work; the client decides by itself what it sends and how it reads the answer';
const errorClasses =
  'the document tells errors apart by the class and the status that the client gives them; the classes follow from 400, 401 and 404, and the message is that of the envelope';
const forcedCall = {
  level: 'SHOULD',
  capability: 'tools',
  reading:
    'a tool is shown with curl alone, and of choices only "auto"; these clients force a call by the name of its function, read its arguments as JSON, and put a streamed one together from its pieces',
} as const;
const rateLimit = {
  ...client,
  source: 'error-handling/in-code',
  need: 'exhausted-key',
  reading:
    'the document tells this error apart by its class or its status, 429; a key whose tokens of the day are used up provokes it, and the package has to be there, too',
} as const;

export const clientRequirements = {
  'clients.openai-js.chat': {
    ...javascript,
    statement: 'the openai package for JavaScript gives the text of a chat',
    reading: `${compatible}, also where it is stricter than HTTP: it takes JSON for text where the media type is in capitals`,
  },
  'clients.openai-js.stream': {
    ...javascript,
    capability: 'streaming',
    statement: 'the openai package for JavaScript reads a streamed chat to its end',
    reading: compatible,
  },
  'clients.openai-js.errors': {
    ...client,
    source: 'error-handling/in-code',
    statement:
      'the openai package for JavaScript throws AuthenticationError, NotFoundError and BadRequestError with the message of the target',
    reading: errorClasses,
  },
  'clients.openai-js.tools': {
    ...javascript,
    ...forcedCall,
    statement: 'the openai package for JavaScript gives a call that was forced by name, in one body and streamed',
  },
  'clients.openai-js.rate-limit': {
    ...rateLimit,
    statement:
      'the openai package for JavaScript throws RateLimitError with the message of the target where a limit is reached',
  },
  'clients.openai-python.chat': {
    ...python,
    statement: 'the openai package for Python gives the text of a chat',
    reading: compatible,
  },
  'clients.openai-python.stream': {
    ...python,
    capability: 'streaming',
    statement: 'the openai package for Python reads a streamed chat to its end',
    reading: `${compatible}, also where it is stricter than the format of events: a byte order mark costs it the first one`,
  },
  'clients.openai-python.errors': {
    ...client,
    source: 'error-handling/in-code',
    statement:
      'the openai package for Python raises AuthenticationError, NotFoundError and BadRequestError with the message of the target',
    reading: errorClasses,
  },
  'clients.openai-python.tools': {
    ...python,
    ...forcedCall,
    statement: 'the openai package for Python gives a call that was forced by name, in one body and streamed',
  },
  'clients.openai-python.rate-limit': {
    ...rateLimit,
    statement:
      'the openai package for Python raises RateLimitError with the message of the target where a limit is reached',
  },
  'clients.langchain.chat': {
    ...langchain,
    statement: "LangChain's ChatOpenAI gives the text of a chat",
    reading: compatible,
  },
  'clients.langchain.stream': {
    ...langchain,
    capability: 'streaming',
    level: 'SHOULD',
    statement: "LangChain's ChatOpenAI reads a streamed chat to its end",
    reading: 'only a plain chat is shown with it; streams are shown with the library that it is built on',
  },
  'clients.langchain.tools': {
    ...langchain,
    ...forcedCall,
    statement: "LangChain's ChatOpenAI gives a call that was forced by name, in one body and streamed",
  },
  'clients.curl.chat': { ...curl, statement: 'curl receives a chat as one JSON body', reading: compatible },
  'clients.curl.stream': {
    ...curl,
    capability: 'streaming',
    statement: 'curl receives a streamed chat as events that end with [DONE]',
    reading: compatible,
  },
  'clients.curl.system-prompt': {
    ...curl,
    statement: 'curl receives the answer to a chat with a system message',
    reading: compatible,
  },
  'clients.curl.tools': {
    ...curl,
    capability: 'tools',
    statement: 'curl receives the answer to a chat that offers a tool',
    reading: `${compatible}; whether the tool is called is up to the model`,
  },
} as const satisfies RequirementTable;
