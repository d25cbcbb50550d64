import type { RequirementId } from '../../specs/requirements/index.ts';
import { problemsOf } from '../../specs/validate.ts';
import { show } from '../../specs/words.ts';
import { expectEach, NotApplicable, need, Violation } from '../expect.ts';
import { isObject, member } from '../member.ts';
import type { Context, Judgement } from '../probe.ts';
import { callId, type Told, type ToldCall } from '../webhooks/events.ts';
import {
  breach,
  eachTold,
  endOf,
  expectTold,
  needCallEvents,
  needCalls,
  needRun,
  ownCalls,
  ownOf,
  type SeenWebhooks,
  shownIds,
} from './webhook-seen.ts';

type Judgements = { readonly [Id in RequirementId]?: Judgement<SeenWebhooks> };

/** The part of each payload at a pointer is as the schema says. */
export function expectPart(seen: SeenWebhooks, told: readonly Told[], kind: string, pointer: string): undefined {
  const holder = pointer.split('/').slice(1, -1);
  const readable = told.filter(({ payload }) => isObject(member(payload, ...holder)));
  return eachTold(readable, kind, (one) => {
    const problems = problemsOf('webhook', one.payload).filter((problem) => problem.pointer === pointer);
    if (problems.length === 0) return;
    throw new Violation(problems.map(({ expected, actual }) => breach(seen, one, pointer, expected, actual)));
  });
}

const isCompleted = ({ event }: Told) => event === 'tool_call.completed';
const isFailed = ({ event }: Told) => event === 'tool_call.failed';

function expectCompleted(pointer: string): Judgement<SeenWebhooks> {
  return (seen) => {
    return expectPart(seen, needCallEvents(seen).filter(isCompleted), 'a tool_call.completed', pointer);
  };
}

/** With other clients on the target, a call whose other half is missing may be one of theirs. */
function needAlone({ forced }: SeenWebhooks, calls: readonly ToldCall[], broken: readonly ToldCall[]): undefined {
  need(
    broken.length === 0 || calls.length <= forced.length,
    `${calls.length} tool calls were told of while the run asked for ${forced.length}: judge a target that nobody else uses`,
  );
}

/**
 * Each call starts before it ends, and a chat ends after its call.
 * @param of the moment by which the order is judged
 */
function expectOrder(seen: SeenWebhooks, { options }: Context, of: (one: Told) => number, unit: string): undefined {
  const calls = needCalls(seen).filter(({ started, ended }) => started.length > 0 && ended.length > 0);
  need(calls.length > 0, 'of no tool call both its start and its end were told');
  const pairs = calls.flatMap(({ started, ended }) =>
    started.slice(0, 1).flatMap((earlier) => ended.map((later) => ({ earlier, later }))),
  );
  // Where a target is known to run the calls and shows none, they come in the order of their chats, unless others call.
  const inTurn =
    options.runsTools !== undefined &&
    calls.length === seen.forced.length &&
    seen.forced.every((chat) => shownIds(chat).length === 0);
  seen.forced.forEach((chat, index) => {
    const end = endOf(seen, chat, ownOf(seen));
    const own = calls.filter(({ id }, place) => (inTurn ? place === index : shownIds(chat).includes(id)));
    if (end) pairs.push(...own.flatMap(({ ended }) => ended.map((earlier) => ({ earlier, later: end }))));
  });
  const timed = pairs.filter(({ earlier, later }) => !Number.isNaN(of(earlier) - of(later)));
  need(timed.length > 0, 'the events of the tool calls have no timestamps');
  return expectEach(timed, ({ earlier, later }) => {
    const late = of(earlier) - of(later);
    const subject = `${String(later.event)} after ${String(earlier.event)}`;
    return expectTold(seen, later, subject, late <= 0, 'not before it', `${Math.round(late)} ms before it, by ${unit}`);
  });
}

/** What is required of deliveries about tool calls. */
export const callJudgements: Judgements = {
  'webhooks.tool-call.started': (seen) => {
    const calls = needCalls(seen);
    const broken = calls.filter(({ started }) => started.length === 0);
    needAlone(seen, calls, broken);
    return expectEach(
      broken,
      ({ id, ended: [end] }) =>
        end && expectTold(seen, end, 'the call', false, 'a tool_call.started of it', `none came for ${show(id)}`),
    );
  },
  'webhooks.tool-call.ended': (seen) => {
    const calls = needCalls(seen).filter(({ started }) => started.length > 0);
    need(calls.length > 0, 'no tool_call.started came');
    const names = ({ ended }: ToldCall) => new Set(ended.map(({ event }) => event));
    const broken = calls.filter((call) => names(call).size !== 1);
    needAlone(seen, calls, broken);
    return expectEach(broken, (call) => {
      const [start] = call.started;
      const actual = names(call).size === 0 ? 'neither' : 'both';
      return start && expectTold(seen, start, `the end of ${show(call.id)}`, false, 'completed or failed', actual);
    });
  },
  'webhooks.tool-call.order': (seen, context) => expectOrder(seen, context, ({ time }) => time, 'their timestamps'),
  'webhooks.delivery.order': (seen, context) =>
    expectOrder(seen, context, ({ delivery }) => delivery.at, 'their arrival'),
  'webhooks.tool-call.id': (seen, { options }) => {
    const told = needCallEvents(seen);
    expectPart(seen, told, 'of a tool call', '/data/tool_call_id');
    const own = ownCalls(seen);
    const untold = seen.forced
      .map(shownIds)
      .filter((ids) => ids.length > 0 && !told.some((one) => ids.includes(callId(one))));
    // Such calls are left to the client, unless as many were told of since as were forced.
    if (untold.length === 0 || own.length !== seen.forced.length) return;
    need(
      options.runsTools !== undefined,
      'what was told of tool calls has other ids than the answers: give --runs-tools if the target runs them, else judge one that nobody else uses',
    );
    const first = own[0]?.started[0] ?? own[0]?.ended[0];
    return expectEach(untold, (ids) => {
      const expected = `${ids.map(show).join(' or ')}, as the answer has it`;
      return first && expectTold(seen, first, '/data/tool_call_id', false, expected, 'other ids alone');
    });
  },
  'webhooks.tool-call.name': (seen) => expectPart(seen, needCallEvents(seen), 'of a tool call', '/data/tool_name'),
  'webhooks.tool-call.execution-time': expectCompleted('/data/execution_time_ms'),
  'webhooks.tool-call.result': expectCompleted('/data/result'),
  'webhooks.tool-call.error': (seen) => {
    const told = needCallEvents(seen);
    const failed = told.filter(isFailed);
    if (failed.length === 0) needRun(seen);
    if (failed.length === 0 && told.filter(isCompleted).length > 1) {
      throw new NotApplicable('no tool call failed, not even one of code that throws an error');
    }
    return eachTold(failed, 'a tool_call.failed', (one) => {
      const error = member(one.payload, 'data', 'error');
      const holds = typeof error === 'string' && error !== '';
      return expectTold(seen, one, '/data/error', holds, 'a string that is not empty', show(error));
    });
  },
};
