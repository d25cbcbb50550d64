import { need } from '../expect.ts';
import type { Context } from '../probe.ts';
import type { Reply } from '../reply.ts';

/** A refusal only means something on a target that answers the same request when nothing is wrong with it. */
export function needAnsweredChat({ baseline }: Context): undefined {
  const { status, failure } = baseline.chat;
  const seen = failure ? 'no whole response' : status;
  need(status === 200 && !failure, `a plain valid chat was answered with ${seen}, so a refusal proves nothing`);
}

export function needExhaustedKey({ options }: Pick<Context, 'options'>): undefined {
  need(
    options.exhaustedKey === true,
    'needs a key whose tokens of the day are used up: give --exhausted-key (the reference server: tokensUsed in --keys)',
  );
}

/** A key that is refused as such was not used up, but is none. */
export function needKeyKnown({ status }: Reply): undefined {
  need(status !== 401 && status !== 403, `the key was refused with ${status}: give one that is valid and used up`);
}
