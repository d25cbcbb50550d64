import { expectThat, Inconclusive, violate } from '../expect.ts';
import { arrived, type ExchangeRules, opensNone } from './rule.ts';

export const httpRules: ExchangeRules = {
  'http.response.complete': {
    // A stream that was told to fail may break off, and what opens no socket is judged as what arrives on one.
    applies: (reply) => reply.exchange.request.demand !== 'cut-stream' && !opensNone(reply),
    judge: (reply) => {
      if (reply.failure?.kind === 'timeout') {
        // The document promises no speed.
        throw new Inconclusive(`the target took too long: ${reply.failure.message}; --timeout gives it more time`);
      }
      if (reply.failure?.kind === 'refused' || reply.failure?.kind === 'tls') {
        // Who is away, or is started anew, breaks off what is under way and answers nothing wrongly.
        throw new Inconclusive(`the target could not be reached amid the run: ${reply.failure.message}`);
      }
      if (reply.failure) violate(reply, 'response', 'a whole HTTP response', reply.failure.message);
    },
  },
  'http.redirect.none': {
    applies: (reply) => reply.failure === undefined,
    judge: (reply) => {
      const redirects = reply.status >= 300 && reply.status < 400;
      const actual = `${reply.status} to ${reply.header('location') ?? 'nowhere'}`;
      return expectThat(reply, 'status', !redirects, 'an answer, not a redirect', actual);
    },
  },
  'http.body.json': {
    // An error is never a stream.
    applies: (reply) => arrived(reply) && (!reply.isStream || reply.status >= 400),
    judge: (reply) => {
      if (reply.bodyProblem !== undefined) violate(reply, 'body', 'JSON in valid UTF-8', reply.bodyProblem);
      expectThat(reply, 'body', reply.json !== undefined, 'JSON', reply.text);
      const isJson = reply.mediaType === 'application/json' || reply.mediaType.endsWith('+json');
      return expectThat(reply, 'Content-Type', isJson, 'application/json', reply.header('content-type'));
    },
  },
};
