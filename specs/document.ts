interface Heading {
  readonly title: string;
  /** Why the heading has no requirement of its own; absent where it must have one. */
  readonly excluded?: string;
}

/** The headings of the Stack 2.9 API document (version 1.0 of 2026-04-01), in its order. */
export const documentHeadings = {
  document: { title: 'Stack 2.9 API Documentation', excluded: 'the title; what it says of clients is judged below' },
  contents: { title: 'Table of Contents', excluded: 'lists the headings below' },
  overview: { title: 'Overview', excluded: 'introduces the API; its parts are judged under their own headings' },
  'overview/base-url': { title: 'Base URL' },
  'overview/api-versioning': { title: 'API Versioning' },
  authentication: { title: 'Authentication', excluded: 'holds the headings below it' },
  'authentication/api-key-authentication': { title: 'API Key Authentication' },
  'authentication/obtaining-an-api-key': {
    title: 'Obtaining an API Key',
    excluded: 'how an operator hands out keys cannot be seen from a client',
  },
  'authentication/authentication-errors': { title: 'Authentication Errors' },
  'rate-limits': { title: 'Rate Limits', excluded: 'holds the headings below it' },
  'rate-limits/tier-limits': { title: 'Tier Limits' },
  'rate-limits/rate-limit-headers': { title: 'Rate Limit Headers' },
  'rate-limits/handling-rate-limits': { title: 'Handling Rate Limits' },
  'rest-endpoints': { title: 'REST Endpoints', excluded: 'holds the headings below it' },
  'rest-endpoints/chat-completions': { title: 'Chat Completions' },
  'rest-endpoints/chat-completions/request-body': { title: 'Request Body' },
  'rest-endpoints/chat-completions/parameters': { title: 'Parameters' },
  'rest-endpoints/chat-completions/response': { title: 'Response (Non-Streaming)' },
  'rest-endpoints/chat-completions/streaming': { title: 'Streaming Response Format' },
  'rest-endpoints/models-list': { title: 'Models List' },
  'rest-endpoints/models-list/response': { title: 'Response' },
  'rest-endpoints/get-model': { title: 'Get Model' },
  'websocket-streaming': { title: 'WebSocket Streaming' },
  'websocket-streaming/connection': { title: 'Connection' },
  'websocket-streaming/message-types': { title: 'WebSocket Message Types' },
  'websocket-streaming/message-types/client-to-server': { title: 'Client → Server' },
  'websocket-streaming/message-types/server-to-client': { title: 'Server → Client' },
  'websocket-streaming/full-example': { title: 'Full WebSocket Example' },
  formats: { title: 'Request/Response Formats', excluded: 'holds the headings below it' },
  'formats/message': { title: 'Message Format' },
  'formats/tool-call': { title: 'Tool Call Format' },
  'formats/tool-call-response': { title: 'Tool Call Response Format' },
  'formats/vision': { title: 'Vision Support (Image Input)' },
  'error-handling': { title: 'Error Handling', excluded: 'holds the headings below it' },
  'error-handling/response-format': { title: 'Error Response Format' },
  'error-handling/codes': { title: 'Error Codes' },
  'error-handling/in-code': { title: 'Handling Errors in Code' },
  sdks: { title: 'SDKs and Examples', excluded: 'holds the headings below it' },
  'sdks/python': { title: 'Python SDK' },
  'sdks/javascript': { title: 'JavaScript/Node.js SDK' },
  'sdks/curl': { title: 'cURL Examples' },
  'sdks/openai-compatible': { title: 'OpenAI-Compatible Client Usage' },
  webhooks: { title: 'Webhooks' },
  'webhooks/payload': { title: 'Webhook Payload' },
  'best-practices': { title: 'Best Practices', excluded: 'advice to clients, not a rule for servers' },
  'best-practices/streaming': {
    title: '1. Use Streaming for Better UX',
    excluded: 'advice to clients, not a rule for servers',
  },
  'best-practices/errors': {
    title: '2. Implement Proper Error Handling',
    excluded: 'advice to clients, not a rule for servers',
  },
  'best-practices/cache': { title: '3. Cache Responses', excluded: 'advice to clients, not a rule for servers' },
  'best-practices/temperature': {
    title: '4. Use Appropriate Temperature',
    excluded: 'advice to clients, not a rule for servers',
  },
  'best-practices/usage': {
    title: '5. Monitor Token Usage',
    excluded: 'advice to clients; the usage that it reads is judged under Response (Non-Streaming)',
  },
  support: { title: 'Support', excluded: 'links and addresses of the project' },
} as const satisfies Record<string, Heading>;

export type HeadingId = keyof typeof documentHeadings;
