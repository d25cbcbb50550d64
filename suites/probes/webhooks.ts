import { show } from '../../specs/words.ts';
import { expectEach, need, Violation } from '../expect.ts';
import { lacks } from '../lacking.ts';
import { isObject } from '../member.ts';
import { type Context, defineProbe, type Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import {
  callId,
  deliveryHeader,
  identityOf,
  likenessOf,
  readDelivery,
  type Told,
  tellsOfCall,
  tellsOfEnd,
  webhookEvents,
  webhookId,
} from '../webhooks/events.ts';
import { failingCode, forceCode, soundCode } from './programs.ts';
import { callJudgements, expectPart } from './webhook-calls.ts';
import {
  alike,
  answered,
  eachTold,
  endOf,
  expectTold,
  namesChats,
  needDelivered,
  ownCalls,
  ownOf,
  type SeenWebhooks,
  skewMs,
  untold,
} from './webhook-seen.ts';

/** Long enough for what was sent at the same time as something else, where nothing says that it will come. */
const graceMs = 1_000;

function needListener({ options }: Context): undefined {
  need(options.webhookUrl !== undefined, 'needs a place to deliver to: give --webhook-listen host:port');
}

async function chatAndListen(target: Target): Promise<SeenWebhooks> {
  needListener(target);
  // What is told late of the first chat of the run would count for one of these.
  await target.webhooks.wait((deliveries) => deliveries.map(readDelivery).some(tellsOfEnd), graceMs);
  const plain: [Reply, ...Reply[]] = [await target.chat()];
  if (!lacks('streaming', target)) plain.push(await target.chat({ stream: true }));
  const forced: Reply[] = [];
  if (!lacks('tools', target)) {
    for (const code of [soundCode, failingCode])
      forced.push(await target.chat(forceCode(code, target.options.runsTools)));
  }
  const seenIn = (deliveries: Awaited<ReturnType<Target['webhooks']['wait']>>): SeenWebhooks => ({
    baseline: target.baseline.chat,
    plain,
    forced,
    told: deliveries.map(readDelivery),
  });
  const wait = async (enough: (seen: SeenWebhooks) => boolean, withinMs?: number) =>
    seenIn(await target.webhooks.wait((deliveries) => enough(seenIn(deliveries)), withinMs));
  const all = (seen: SeenWebhooks) =>
    untold(seen).length === 0 && ownCalls(seen).every(({ started, ended }) => started.length > 0 && ended.length > 0);
  const told = await wait(all);
  // What is told without being owed, calls and the names of chats, may be a moment late.
  const whole = (seen: SeenWebhooks) => ownCalls(seen).length >= forced.length && namesChats(seen);
  if (whole(told) || told.told.length === 0) return told;
  await wait(whole, graceMs);
  return wait(all);
}

/** Looks at every delivery of the run. */
function every(seen: SeenWebhooks, look: (one: Told) => undefined): undefined {
  needDelivered(seen);
  return expectEach(seen.told, look);
}

function part(pointer: string) {
  return (seen: SeenWebhooks): undefined => {
    needDelivered(seen);
    return expectPart(seen, seen.told, 'a JSON object', pointer);
  };
}

/** The deliveries that are the same as one before. */
function repeated(told: readonly Told[], sameness: (one: Told) => unknown): readonly Told[] {
  const before = new Set<unknown>();
  return told.filter((one) => before.size === before.add(sameness(one)).size);
}

/** The event of one call or one chat that a delivery tells of, as far as it names them. */
function subjectOf(seen: SeenWebhooks, one: Told): string | undefined {
  if (tellsOfCall(one)) return typeof callId(one) === 'string' ? `${String(one.event)} ${callId(one)}` : undefined;
  const chat = answered(seen).findIndex((candidate) => endOf(seen, candidate, [one]) !== undefined);
  return chat === -1 ? undefined : `the end of chat ${chat}`;
}

/** Deliveries that this run is known to have led to, each with the first request that can have. */
function ledTo(seen: SeenWebhooks): readonly { readonly one: Told; readonly chat: Reply }[] {
  const own = ownOf(seen);
  const chats = answered(seen);
  const named = chats.flatMap((chat) => own.filter((one) => endOf(seen, chat, [one])).map((one) => ({ one, chat })));
  const latest = own.filter(tellsOfEnd).sort((one, other) => other.time - one.time);
  const ends = named.length > 0 ? named : latest.slice(0, chats.length).map((one) => ({ one, chat: seen.plain[0] }));
  const calls = ownCalls(seen);
  const [first] = seen.forced;
  // More calls than were asked for may be those of other clients, and old.
  if (first === undefined || calls.length > seen.forced.length) return ends;
  return [
    ...ends,
    ...calls.flatMap(({ started, ended }) => [...started, ...ended]).map((one) => ({ one, chat: first })),
  ];
}

const told = defineProbe<SeenWebhooks>({
  name: 'chats whose ends and tool calls are told to a webhook',
  cost: { requests: 4, tokens: 1_800 },
  exclusive: true,
  act: chatAndListen,
  judge: {
    'webhooks.generation.done': (seen) => {
      needDelivered(seen);
      need(answered(seen).length > 0, 'no chat was answered with 200');
      const breaches = untold(seen, identityOf).map((reply) => ({
        reply,
        subject: 'deliveries about this chat',
        expected: ['a generation.done'],
        actual: 'none within the time of --timeout',
      }));
      if (breaches.length > 0) throw new Violation(breaches);
      need(untold(seen).length === 0, alike);
    },
    'webhooks.generation.identified': (seen) => {
      needDelivered(seen);
      const ends = ownOf(seen).filter(tellsOfEnd);
      return eachTold(ends.slice(-1), 'a generation.done', (one) => {
        return expectTold(seen, one, '/data', namesChats(seen), 'the id of the chat that ended', one.text);
      });
    },
    'webhooks.event.known': (seen) => {
      needDelivered(seen);
      const named = seen.told.filter(({ event }) => typeof event === 'string' && event !== '');
      return eachTold(named, 'named by an event', (one) => {
        const known = webhookEvents.includes(String(one.event));
        return expectTold(seen, one, '/event', known, webhookEvents.join(', '), show(one.event));
      });
    },
    'webhooks.delivery.once': (seen) => {
      needDelivered(seen);
      const taken = seen.told.filter(({ delivery }) => delivery.answered === 200);
      const comparable = taken.some((one) => subjectOf(seen, one) !== undefined || webhookId(one) !== undefined);
      need(comparable, 'no delivery names its chat or its call, and none has a webhook-id');
      expectEach(
        repeated(taken, (one) => subjectOf(seen, one) ?? identityOf(one)),
        (one) => expectTold(seen, one, 'delivery', false, 'none that came before', 'came before, and was taken'),
      );
      need(repeated(taken, (one) => subjectOf(seen, one) ?? likenessOf(one)).length === 0, alike);
    },
    'webhooks.delivery.signed': (seen) =>
      every(seen, (one) => {
        const names = one.delivery.headers.map(([name]) => name);
        const signed = names.some((name) => /signature|hmac/i.test(name));
        return expectTold(seen, one, 'headers', signed, 'one with signature in its name', names.join(', '));
      }),
    'webhooks.delivery.method': (seen) =>
      every(seen, (one) => {
        const label = deliveryHeader(one.delivery, 'content-type') ?? 'no Content-Type';
        const type = label.split(';', 1)[0]?.trim().toLowerCase() ?? '';
        const holds = one.delivery.method === 'POST' && (type === 'application/json' || type.endsWith('+json'));
        return expectTold(seen, one, 'request', holds, 'POST, application/json', `${one.delivery.method}, ${label}`);
      }),
    'webhooks.payload.json': (seen) =>
      every(seen, (one) =>
        expectTold(seen, one, 'body', isObject(one.payload), 'a JSON object', one.problem ?? one.text),
      ),
    'webhooks.payload.event': part('/event'),
    'webhooks.payload.timestamp': part('/timestamp'),
    'webhooks.payload.data': part('/data'),
    'webhooks.payload.timestamp-true': (seen) => {
      needDelivered(seen);
      const dated = seen.told.filter(({ time }) => !Number.isNaN(time));
      eachTold(dated, 'dated', (one) => {
        const latest = new Date(one.delivery.time + skewMs).toISOString();
        const holds = one.time <= one.delivery.time + skewMs;
        return expectTold(seen, one, '/timestamp', holds, `at most ${latest}`, new Date(one.time).toISOString());
      });
      return expectEach(ledTo(seen), ({ one, chat }) => {
        const earliest = new Date(chat.exchange.sentTime - skewMs).toISOString();
        const holds = !(one.time < chat.exchange.sentTime - skewMs);
        return expectTold(seen, one, '/timestamp', holds, `at least ${earliest}`, show(one.payload));
      });
    },
    ...callJudgements,
  },
});

interface Refused extends Pick<SeenWebhooks, 'told'> {
  readonly chat: Reply;
}

const refusedIn = (deliveries: readonly Told[]) => deliveries.find(({ delivery }) => delivery.answered === 503);

/** Whether a delivery came again, whole or with the marks of its new attempt. */
function cameAgain(deliveries: readonly Told[], first: Told): boolean {
  const id = webhookId(first);
  return deliveries.some(
    (other) =>
      other.delivery.at > first.delivery.at &&
      (other.text === first.text ||
        (id !== undefined && id === webhookId(other)) ||
        (other.event === first.event && other.time === first.time)),
  );
}

const retried = defineProbe<Refused>({
  name: 'a chat whose delivery is refused once',
  cost: { requests: 1, tokens: 120 },
  exclusive: true,
  async act(target) {
    needListener(target);
    target.webhooks.refuseNext();
    const chat = await target.chat();
    const deliveries = await target.webhooks.wait((taken) => {
      const all = taken.map(readDelivery);
      const refused = refusedIn(all);
      return refused !== undefined && cameAgain(all, refused);
    });
    return { chat, told: deliveries.map(readDelivery) };
  },
  judge: {
    'webhooks.delivery.retried': ({ chat, told: deliveries }) => {
      needDelivered({ told: deliveries });
      const refused = refusedIn(deliveries);
      need(refused !== undefined, 'no delivery came that could be refused');
      if (cameAgain(deliveries, refused)) return;
      const actual = 'nothing within the time of --timeout';
      throw new Violation([
        { reply: chat, delivery: refused.delivery, subject: 'what followed', expected: ['the same again'], actual },
      ]);
    },
  },
});

export const webhookProbes = [told, retried];
