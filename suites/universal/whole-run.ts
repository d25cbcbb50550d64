import type { RequirementId } from '../../specs/requirements/index.ts';
import { expectEach, expectThat, need, violate } from '../expect.ts';
import { limitHeader } from '../limit-headers.ts';
import { member } from '../member.ts';
import { errorForm, errorOf } from '../probes/error-identifiers.ts';
import type { Reply } from '../reply.ts';
import { isCompletion } from './completions.ts';
import { authenticated, skew, timeOf, windowMs } from './limits.ts';
import { arrived } from './rule.ts';

/** Rules over all that a run saw together. */
export const wholeRunRules: { readonly [Id in RequirementId]?: (replies: readonly Reply[]) => undefined } = {
  'chat.response.id-unique': (replies) => {
    const completions = replies.filter(isCompletion);
    const ids = completions.map((reply) => member(reply.json, 'id'));
    need(ids.filter((id) => typeof id === 'string').length > 1, 'fewer than two completions have an id');
    return expectEach(completions, (reply) => {
      const id = member(reply.json, 'id');
      const first = completions[ids.indexOf(id)];
      return expectThat(
        reply,
        '/id',
        first === reply || typeof id !== 'string',
        'an id that no earlier completion had',
        id,
      );
    });
  },
  'limits.headers.move': (replies) => {
    const seen = replies
      .filter(authenticated)
      .map((reply) => ({
        reply,
        limit: limitHeader(reply, 'limit') ?? 0,
        remaining: limitHeader(reply, 'remaining') ?? Number.NaN,
        reset: limitHeader(reply, 'reset'),
        sentAt: reply.exchange.sentAt,
        headersAt: reply.exchange.headersAt ?? 0,
      }))
      // A refusal takes nothing, and what it reports is its own requirement; so is what passes the limit.
      .filter(({ reply, remaining, limit }) => reply.status !== 429 && remaining <= limit)
      .sort((one, other) => one.headersAt - other.headersAt);
    const [first] = seen;
    need(first !== undefined && seen.length > 1, 'fewer than two authenticated responses have X-RateLimit-Remaining');
    const changes = seen.some(({ remaining }) => remaining !== first.remaining);
    const still = `not the same in all of ${seen.length} responses`;
    expectThat(first.reply, 'X-RateLimit-Remaining', changes, still, first.remaining);
    if (movesAlong(seen.map(({ reset }) => reset))) return;
    return expectEach(seen.slice(1), (later) => {
      // Whether a socket counts beside the starts on it is not stated.
      if (later.reply.status === 101) return;
      // What is sent as a window ends may belong to the next one, and where Reset is no such time nothing is known.
      const ahead = (later.reset ?? 0) - timeOf(later.reply);
      if (ahead < 2 || ahead > windowMs / 1000 + skew) return;
      // Only a request that was sent after the answer to another had come is known to have been counted after it.
      const earlier = seen.findLast(({ headersAt, reset }) => headersAt < later.sentAt && reset === later.reset);
      if (earlier === undefined) return;
      const refilled = Math.floor((later.limit * (later.headersAt - earlier.sentAt)) / windowMs);
      const most = Math.max(0, earlier.remaining - 1 + refilled);
      return expectThat(
        later.reply,
        'X-RateLimit-Remaining',
        later.remaining <= most,
        `at most ${most}`,
        later.remaining,
      );
    });
  },
  'errors.dialect': (replies) => {
    const errors = replies.filter(arrived).flatMap((reply) => {
      const error = errorOf(reply);
      const form = error && errorForm(error);
      return form ? [{ reply, form }] : [];
    });
    const [first] = errors;
    need(first !== undefined, 'no error response has a documented form');
    const other = errors.find(({ form }) => form !== first.form);
    if (other) violate(other.reply, 'form of the error', first.form, other.form);
  },
};

/** Whether Reset goes along with the requests, as of a bucket, instead of from the end of one window to that of the next. */
function movesAlong(resets: readonly (number | undefined)[]): boolean {
  const distinct = [...new Set(resets.filter((reset) => reset !== undefined))].sort((one, other) => one - other);
  return distinct.some((reset, index) => index > 0 && reset - (distinct[index - 1] ?? 0) < windowMs / 2000);
}
