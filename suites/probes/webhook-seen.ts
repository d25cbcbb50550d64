import { callsOf } from '../calls.ts';
import { chunksOf } from '../chunks.ts';
import { type Breach, expectEach, NotApplicable, need, Violation } from '../expect.ts';
import { member } from '../member.ts';
import type { Reply } from '../reply.ts';
import {
  callsIn,
  holdsText,
  likenessOf,
  type Told,
  type ToldCall,
  tellsOfCall,
  tellsOfEnd,
} from '../webhooks/events.ts';

/** What a run saw of the target's webhooks. */
export interface SeenWebhooks {
  /** The first chat of the run: what is told of it shows whether this target names its chats. */
  readonly baseline: Reply;
  /** A plain chat in one body, sent first, and, where the model streams, one that is streamed. */
  readonly plain: readonly [Reply, ...Reply[]];
  /**
   * Chats that force a call of execute_code, one after the other: of code that runs, then of code that throws. None on a
   * target that lacks tools.
   */
  readonly forced: readonly Reply[];
  /** All that was delivered since the run's start, in the order of arrival. */
  readonly told: readonly Told[];
}

/** How far the clocks of target and suite may differ, in milliseconds. */
export const skewMs = 5_000;

/** @throws Inconclusive where nothing was delivered at all: the target may not be configured to */
export function needDelivered({ told }: Pick<SeenWebhooks, 'told'>): undefined {
  need(
    told.length > 0,
    'nothing was delivered: configure the target with the webhook_url and events that the run names at its start, or with an address under which the target reaches them',
  );
}

/** The chats whose ends are to be told. */
export function answered({ plain, forced }: SeenWebhooks): readonly Reply[] {
  return [...plain, ...forced].filter(({ status, failure }) => status === 200 && !failure);
}

/** What came since the first chat was sent. */
export function ownOf({ plain: [first], told }: SeenWebhooks): readonly Told[] {
  return told.filter(({ delivery }) => delivery.at >= first.exchange.sentAt);
}

/** The generation.done of a chat, as far as its id tells. */
export function endOf(seen: SeenWebhooks, chat: Reply, told: readonly Told[]): Told | undefined {
  const ids = namesOf(seen, chat);
  return told.find((one) => tellsOfEnd(one) && ids.some((id) => holdsText(one, id)));
}

/** The ids that are those of this chat alone. */
function namesOf({ baseline, plain, forced }: SeenWebhooks, chat: Reply): readonly string[] {
  const others = new Set([baseline, ...plain, ...forced].filter((other) => other !== chat).flatMap(idsOf));
  return idsOf(chat).filter((id) => !others.has(id));
}

function idsOf(chat: Reply): readonly string[] {
  const bodies = chat.isStream ? chunksOf(chat) : [chat.json];
  const ids = bodies.map((body) => member(body, 'id'));
  return [...new Set(ids.filter((id) => typeof id === 'string' && id !== ''))] as readonly string[];
}

/** Why deliveries that look the same decide nothing. */
export const alike =
  'deliveries have the same webhook-id, or none and the same text, so that one that came again looks like that of another chat: let each have a webhook-id of its own';

/** Whether what is told of the end of a chat names it. */
export function namesChats(seen: SeenWebhooks): boolean {
  return [seen.baseline, ...answered(seen)].some((chat) => endOf(seen, chat, seen.told) !== undefined);
}

/**
 * Chats whose end was not told. Where no delivery names its chat, the number of ends alone decides.
 * @param sameness by which a delivery that came again does not count
 */
export function untold(seen: SeenWebhooks, sameness: (one: Told) => unknown = likenessOf): readonly Reply[] {
  const chats = answered(seen);
  const own = ownOf(seen);
  if (!namesChats(seen)) {
    const ends = (told: readonly Told[]) => new Set(told.filter(tellsOfEnd).map(sameness)).size;
    return chats.slice(ends(seen.told) - ends(seen.told.filter((one) => !own.includes(one))));
  }
  return chats.filter((chat) => namesOf(seen, chat).length > 0 && endOf(seen, chat, own) === undefined);
}

/** The tool calls of which something came since the first chat was sent. */
export function ownCalls(seen: SeenWebhooks): readonly ToldCall[] {
  const ids = new Set(callsIn(ownOf(seen)).map(({ id }) => id));
  return callsIn(seen.told).filter(({ id }) => ids.has(id));
}

/** The deliveries about tool calls. @throws NotApplicable, or Inconclusive, where there are none */
export function needCallEvents(seen: SeenWebhooks): readonly Told[] {
  needDelivered(seen);
  const events = seen.told.filter(tellsOfCall);
  if (events.length === 0) needRun(seen);
  need(
    events.length > 0,
    'no event of a tool call came: needs a target that runs execute_code itself, when a chat forces it',
  );
  return events;
}

/** The tool calls of the run. @throws NotApplicable, or Inconclusive, where none was told of by an id */
export function needCalls(seen: SeenWebhooks): readonly ToldCall[] {
  needCallEvents(seen);
  needRun(seen);
  const calls = ownCalls(seen);
  need(calls.length > 0, 'no event of a tool call has an id');
  return calls;
}

/**
 * What was told before the first chat may be of a socket, on which a target can run what it leaves to the client here.
 * @throws NotApplicable where no call was told of since, and the target lacks tools or shows calls instead
 */
export function needRun(seen: SeenWebhooks): undefined {
  const { forced } = seen;
  if (ownOf(seen).some(tellsOfCall)) return;
  if (forced.length === 0) throw new NotApplicable('the target is said, or declares, to have no tools');
  if (forced.every((chat) => shownIds(chat).length === 0)) return;
  throw new NotApplicable('the target runs no tool itself: it answers with the call, for its client to run');
}

/** The ids of the calls that an answer shows. */
export function shownIds(chat: Reply): readonly unknown[] {
  return callsOf(chat).map((call) => member(call, 'id'));
}

/** One part of a delivery is as it must be; the finding shows the delivery, and the chat that it tells of. */
export function expectTold(
  seen: SeenWebhooks,
  one: Told,
  subject: string,
  holds: boolean,
  expected: string,
  actual: string,
): undefined {
  if (!holds) throw new Violation([breach(seen, one, subject, expected, actual)]);
}

export function breach(seen: SeenWebhooks, one: Told, subject: string, expected: string, actual: string): Breach {
  const [reply] = tellsOfCall(one) ? [...seen.forced, ...seen.plain] : seen.plain;
  return { reply: reply ?? seen.plain[0], delivery: one.delivery, subject, expected: [expected], actual };
}

/** Looks at each delivery of a kind; without one nothing is decided. */
export function eachTold(told: readonly Told[], kind: string, look: (one: Told) => undefined): undefined {
  need(told.length > 0, `no delivery came that is ${kind}`);
  return expectEach(told, look);
}
