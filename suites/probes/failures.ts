import type { Demand } from '../../specs/evidence.ts';
import type { RequirementId } from '../../specs/requirements/index.ts';
import { chunksOf, deltaText, parseJson } from '../chunks.ts';
import type { StreamEvent } from '../events.ts';
import { expectArrived, expectEqual, expectThat, need, violate } from '../expect.ts';
import { isObject, member } from '../member.ts';
import { type BoundProbe, type Context, defineProbe, type Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { answerText, askForText } from './answer.ts';
import { errorOf, expectIdentifier } from './error-identifiers.ts';
import { needAnsweredChat } from './prerequisites.ts';

function needDemand({ options }: Target, demand: Demand): undefined {
  need(
    options.demands?.includes(demand) === true,
    `needs a target that can be told to fail with ${demand}: start it so (the reference server: serve --allow-faults) and give --fault-header`,
  );
}

/** A chat that is told to fail, and what its failure is to look like. */
function failure(demand: Exclude<Demand, 'cut-stream'>, topic: Topic, identifier: string): BoundProbe {
  const status = Number(demand);
  return defineProbe({
    name: `a chat that is told to fail with ${demand}`,
    // A 503 is asked for twice.
    cost: { requests: 2, tokens: 120 },
    act(target) {
      needDemand(target, demand);
      return target.chat({}, { demand });
    },
    judge: {
      [`errors.${topic}.status`]: (reply: Reply, context: Context) => {
        needAnsweredChat(context);
        expectArrived(reply);
        // Any other answer is that of a target that does not know the header, or refuses it.
        const { code, type } = errorOf(reply) ?? {};
        const failed = reply.status === status || reply.status >= 500 || code === identifier || type === identifier;
        need(
          status === 503 || reply.status !== 503,
          'the service is down (503), so that it cannot fail as it is told to',
        );
        need(failed, `the target did not fail, but answered ${reply.status}: was it told to obey the header?`);
        return expectEqual(reply, 'status', reply.status, status);
      },
      [`errors.${topic}.identifier`]: (reply: Reply) => expectIdentifier(reply, status, identifier),
    } satisfies { readonly [Id in RequirementId]?: unknown },
  });
}

type Topic = 'internal-error' | 'service-unavailable' | 'tool-error';

interface CutStream {
  /** The same request, which was not told to fail, in one body. */
  readonly whole: string;
  readonly stream: Reply;
}

const cutStream = defineProbe<CutStream>({
  name: 'a stream that is told to fail in its middle',
  cost: { requests: 3, tokens: 1_500 },
  async act(target) {
    needDemand(target, 'cut-stream');
    const { members, reply } = await askForText(target);
    const stream = await target.chat({ ...members, stream: true }, { demand: 'cut-stream' });
    return { whole: answerText(reply), stream };
  },
  judge: {
    'stream.failure.told': (seen) => {
      const { stream } = needFailedStream(seen);
      const told = hasError(stream) || stream.failure?.kind === 'closed';
      return expectThat(
        stream,
        'end of the stream',
        told,
        'an event with an error, or a broken connection',
        lastEvent(stream),
      );
    },
    'stream.failure.not-done': (seen) => {
      const { stream } = needFailedStream(seen);
      if (isDone(stream)) violate(stream, 'last event', 'anything but [DONE]', '[DONE]');
    },
  },
});

const hasError = ({ events }: Reply) => events.some(({ data }) => isObject(member(parseJson(data), 'error')));
const isReadable = ({ data }: StreamEvent) => data === '[DONE]' || isObject(parseJson(data));
const isDone = ({ events }: Reply) => events.some(({ data }) => data === '[DONE]');
const lastEvent = ({ events }: Reply) => events.at(-1)?.data;

/** @throws Inconclusive where the stream does not show that it failed */
function needFailedStream(seen: CutStream): CutStream {
  const { whole, stream } = seen;
  need(stream.failure?.kind !== 'timeout', 'the stream did not end in time');
  need(stream.status === 200 && stream.isStream, `the target answered ${stream.status}, and began no stream`);
  need(
    stream.events.length > 0 && stream.events.every(isReadable),
    'the stream holds no event, or one that cannot be read',
  );
  const broken = hasError(stream) || stream.failure !== undefined || !isDone(stream);
  const text = chunksOf(stream).map(deltaText).join('');
  // A failure that is hidden shows in what is missing of the answer.
  need(
    broken || (whole.startsWith(text) && text.length < whole.length),
    'the stream brought the whole answer: was the target told to obey the header?',
  );
  return seen;
}

export const failureProbes = [
  failure('500', 'internal-error', 'internal_error'),
  failure('503', 'service-unavailable', 'service_unavailable'),
  failure('422', 'tool-error', 'tool_error'),
  cutStream,
];
