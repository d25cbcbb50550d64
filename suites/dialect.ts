import { callsOf } from './calls.ts';
import { chunksOf } from './chunks.ts';
import { isObject, member } from './member.ts';
import { errorForm, errorOf } from './probes/error-identifiers.ts';
import { type KeyPlace, placeOf } from './probes/socket-place.ts';
import { generated } from './probes/socket-turns.ts';
import type { Reply } from './reply.ts';
import { isFromTarget } from './socket.ts';
import { readable } from './universal/rule.ts';
import { apiVersion } from './universal/version.ts';

/** For each reading with several accepted forms: which of them one exchange shows. */
const forms: Readonly<Record<string, (reply: Reply) => readonly string[]>> = {
  'form of errors': (reply) => {
    const error = errorOf(reply);
    return error ? [errorForm(error) ?? 'undocumented'] : [];
  },
  'API version': (reply) => (readable(reply) ? [apiVersion(reply)?.place ?? 'not given'] : []),
  'spelling of capabilities': (reply) => {
    const data = member(reply.json, 'data');
    return (Array.isArray(data) ? data : [])
      .filter(isObject)
      .flatMap((entry) => ['capabilities', 'Capabilities'].filter((spelling) => spelling in entry));
  },
  'role in deltas': (reply) => {
    const chunks = chunksOf(reply);
    if (chunks.length === 0) return [];
    return [chunks.some((chunk) => member(chunk, 'choices', 0, 'delta', 'role') !== undefined) ? 'given' : 'not given'];
  },
  'content beside tool calls': (reply) => {
    if (reply.isStream || callsOf(reply).length === 0) return [];
    const content = member(reply.json, 'choices', 0, 'message', 'content');
    if (content === undefined || content === null) return [content === null ? 'null' : 'not given'];
    return [content === '' ? 'empty' : 'text'];
  },
  'usage in streams': (reply) => {
    const chunks = chunksOf(reply);
    return chunks.length === 0 ? [] : [chunks.some((chunk) => isObject(chunk.usage)) ? 'given' : 'not given'];
  },
  'key of a socket': (reply) => (generated(reply) ? [`in ${keyPlaceWords[placeOf(reply)]}`] : []),
  'refusal of a socket without key': (reply) => {
    const { credential } = reply.exchange.request;
    if (reply.exchange.request.dialog === undefined || credential !== 'none') return [];
    if (reply.status !== 101) return [`status ${reply.status}`];
    return reply.messages.some((message) => isFromTarget(message, 'error')) ? ['error message'] : ['close'];
  },
  'usage in done': (reply) =>
    reply.messages
      .filter((message) => isFromTarget(message, 'done'))
      .map(({ json }) => (isObject(member(json, 'usage')) ? 'given' : 'not given')),
};

const keyPlaceWords: Readonly<Record<KeyPlace, string>> = {
  header: 'the Authorization header',
  start: 'api_key of start',
  query: 'api_key of the query',
};

/** The accepted forms that a target uses, by reading; several where it mixes them. */
export function dialectOf(replies: readonly Reply[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(forms).flatMap(([reading, formsOf]) => {
      const seen = [...new Set(replies.flatMap(formsOf))].sort();
      return seen.length === 0 ? [] : [[reading, seen.join(' and ')]];
    }),
  );
}
