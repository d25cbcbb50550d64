import { NotApplicable, need } from '../expect.ts';
import type { Context } from '../probe.ts';

/** A refusal only means something on a target that answers the same request when nothing is wrong with it. */
export function needAnsweredChat({ baseline }: Context): undefined {
  const { status, failure } = baseline.chat;
  const seen = failure ? 'no whole response' : status;
  need(status === 200 && !failure, `a plain valid chat was answered with ${seen}, so a refusal proves nothing`);
}

/** Throws where the model in use says of itself that it has no tools. */
export function needTools({ baseline }: Context): undefined {
  if (baseline.models.find(({ id }) => id === baseline.model)?.tools === false) {
    throw new NotApplicable('the model declares that it has no tools');
  }
}
