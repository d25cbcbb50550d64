import type { SchemaName } from '../../specs/validate.ts';
import { expectEach, expectSchema, expectThat, Inconclusive, violate } from '../expect.ts';
import { limitHeader } from '../limit-headers.ts';
import { isObject, member } from '../member.ts';
import type { Reply } from '../reply.ts';
import { isFromTarget, isStart, type SocketMessage } from '../socket.ts';
import { type ExchangeRule, type ExchangeRules, opensNone } from './rule.ts';

const types = ['content', 'tool_call', 'tool_result', 'done', 'error', 'pong'];

const isOpen = (reply: Reply) => reply.exchange.socket !== undefined;

/** A rule for every message of the target that is of a kind. */
const every = (
  is: (message: SocketMessage) => boolean,
  look: (reply: Reply, message: SocketMessage) => undefined,
  absent?: string,
): ExchangeRule => ({
  applies: (reply) => reply.messages.some((message) => message.fromTarget && is(message)),
  judge: (reply) =>
    expectEach(
      reply.messages.filter((message) => message.fromTarget && is(message)),
      (message) => look(reply, message),
    ),
  ...(absent !== undefined && { absent }),
});

const isType = (type: string) => (message: SocketMessage) => message.type === type;
const isData = ({ frame }: SocketMessage) => frame.opcode === 'text' || frame.opcode === 'binary';

const inSchema = (schema: SchemaName, pointer: string) => (reply: Reply, message: SocketMessage) =>
  expectSchema(reply, schema, message.json, pointer);

const noTools = 'the target ran no tool over a socket';

/** The payload of a message: in a member named after its type, or in the message itself. */
function payload({ json, type = '' }: SocketMessage): unknown {
  const inner = member(json, type);
  return isObject(inner) ? inner : json;
}

const isName = (value: unknown) => typeof value === 'string' && value !== '';

export const socketRules: ExchangeRules = {
  'websocket.upgrade.rate-limit-headers': {
    applies: (reply) => isOpen(reply) && reply.exchange.request.credential === 'key',
    judge: (reply) => {
      const names = ['limit', 'remaining', 'used', 'reset'] as const;
      const missing = names.filter((name) => limitHeader(reply, name) === undefined);
      const actual = missing.map((name) => `no ${name}`);
      return expectThat(reply, 'X-RateLimit headers', missing.length === 0, 'all four, as integers', actual);
    },
  },
  'websocket.protocol.sound': {
    applies: (reply) => isOpen(reply) || opensNone(reply),
    judge: (reply) => {
      const failure = reply.exchange.socket?.failure ?? reply.failure;
      if (failure?.kind === 'protocol') violate(reply, 'what arrived', 'WebSocket (RFC 6455)', failure.message);
      if (failure?.kind === 'too-large') throw new Inconclusive(`the rest was not read: ${failure.message}`);
    },
  },
  'websocket.message.json': every(isData, (reply, { frame, json, type, text }) => {
    expectThat(reply, 'message', frame.opcode === 'text', 'text', frame.opcode);
    expectThat(reply, 'message', isObject(json), 'a JSON object', text);
    return expectThat(reply, '/type', type !== undefined, 'a string', member(json, 'type'));
  }),
  'websocket.message.known-type': every(
    ({ type }) => type !== undefined,
    (reply, { type = '' }) => expectThat(reply, '/type', types.includes(type), types.join(', '), type),
  ),
  'websocket.content.text': every(isType('content'), inSchema('ws-content', '/content')),
  'websocket.error.message': every(isType('error'), (reply, { json }) => {
    const message = member(json, 'message');
    const holds = typeof message === 'string' && message.trim() !== '';
    return expectThat(reply, '/message', holds, 'a string that is not empty', message);
  }),
  'websocket.error.code': every(isType('error'), (reply, { json }) => {
    const code = member(json, 'code');
    const holds = isName(code) || Number.isInteger(code);
    return expectThat(reply, '/code', holds, 'a string that is not empty, or an integer', code);
  }),
  'websocket.done.last': {
    applies: (reply) => reply.messages.some((message) => isFromTarget(message, 'done')),
    judge: (reply) => {
      let open = 0;
      let refused = false;
      return expectEach(reply.messages, (message) => {
        if (isStart(message)) open += 1;
        const isDone = isFromTarget(message, 'done');
        // A done may end what an error refused, be it a start or not.
        const isOfRefusal = isDone && refused && open === 0;
        if (message.fromTarget) refused = isFromTarget(message, 'error');
        if ((!isDone && !isFromTarget(message, 'content')) || isOfRefusal) return;
        expectThat(reply, 'message after done', open > 0, 'none of a generation', message.json);
        if (isDone) open -= 1;
      });
    },
  },
  'websocket.tool-call.form': every(
    isType('tool_call'),
    (reply, message) => {
      const call = payload(message);
      const named = isName(member(call, 'id')) || isName(member(call, 'tool_call_id'));
      const tool = member(call, 'function') ?? call;
      const args = member(tool, 'arguments');
      const holds = named && isName(member(tool, 'name')) && (typeof args === 'string' || isObject(args));
      return expectThat(reply, 'tool_call', holds, 'an id, and a function with name and arguments', message.json);
    },
    noTools,
  ),
  'websocket.tool-result.form': every(
    isType('tool_result'),
    (reply, message) => {
      const result = payload(message);
      const [output, error] = [member(result, 'output') ?? null, member(result, 'error') ?? null];
      const time = member(result, 'execution_time_ms');
      expectThat(reply, '/tool_call_id', isName(member(result, 'tool_call_id')), 'a string', message.json);
      expectThat(reply, 'output and error', (output === null) !== (error === null), 'one of them null', message.json);
      const holds = typeof time === 'number' && time >= 0;
      return expectThat(reply, '/execution_time_ms', holds, 'a number of at least 0', time);
    },
    noTools,
  ),
  'websocket.tool-result.known-call': {
    applies: (reply) => reply.messages.some((message) => isFromTarget(message, 'tool_result')),
    judge: (reply) => {
      const called = new Set<unknown>();
      return expectEach(reply.messages, (message) => {
        const part = payload(message);
        const id = member(part, 'tool_call_id');
        if (isFromTarget(message, 'tool_call')) called.add(member(part, 'id') ?? id);
        if (!isFromTarget(message, 'tool_result')) return;
        return expectThat(reply, '/tool_call_id', called.has(id), 'the id of a tool_call before it', id);
      });
    },
    absent: noTools,
  },
};
