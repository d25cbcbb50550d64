import { need } from '../expect.ts';
import type { Context } from '../probe.ts';

/** A refusal only means something on a target that answers the same request when nothing is wrong with it. */
export function needAnsweredChat({ baseline }: Context): undefined {
  const { status, failure } = baseline.chat;
  const seen = failure ? 'no whole response' : status;
  need(status === 200 && !failure, `a plain valid chat was answered with ${seen}, so a refusal proves nothing`);
}
