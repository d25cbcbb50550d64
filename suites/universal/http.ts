import { expectThat, violate } from '../expect.ts';
import { arrived, type ExchangeRules } from './rule.ts';

export const httpRules: ExchangeRules = {
  'http.response.complete': {
    applies: () => true,
    judge: (reply) => {
      if (reply.failure)
        violate(reply, 'response', 'a whole HTTP response within the time limit (--timeout)', reply.failure.message);
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
    applies: (reply) => arrived(reply) && !reply.isStream,
    judge: (reply) => {
      if (reply.bodyProblem !== undefined) violate(reply, 'body', 'JSON in valid UTF-8', reply.bodyProblem);
      expectThat(reply, 'body', reply.json !== undefined, 'JSON', reply.text);
      const isJson = reply.mediaType === 'application/json' || reply.mediaType.endsWith('+json');
      return expectThat(reply, 'Content-Type', isJson, 'application/json', reply.header('content-type'));
    },
  },
};
