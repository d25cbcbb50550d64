import type { RequirementId } from '../../specs/requirements/index.ts';
import { expectEach, expectThat, need, violate } from '../expect.ts';
import { member } from '../member.ts';
import { errorForm, errorOf } from '../probes/error-identifiers.ts';
import type { Reply } from '../reply.ts';
import { isCompletion } from './completions.ts';
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
