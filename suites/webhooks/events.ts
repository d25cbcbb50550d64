import type { Delivery } from '../../specs/evidence.ts';
import { decodeBody } from '../body.ts';
import { parseJson } from '../chunks.ts';
import { member } from '../member.ts';

/** The events that the document's configuration subscribes to. */
export const webhookEvents: readonly string[] = [
  'tool_call.started',
  'tool_call.completed',
  'tool_call.failed',
  'generation.done',
];

/** The document's configuration of a target that is to deliver to a URL. */
export function configurationFor(url: string): string {
  return JSON.stringify({ webhook_url: url, events: webhookEvents });
}

/** A delivery as judgements read it. */
export interface Told {
  readonly delivery: Delivery;
  /** The body. */
  readonly text: string;
  /** Why the body is not valid UTF-8 text, where it is not. */
  readonly problem: string | undefined;
  /** The parsed body; `undefined` where it is not JSON. */
  readonly payload: unknown;
  readonly event: unknown;
  /** The payload's own time in Unix milliseconds; NaN where it has none. */
  readonly time: number;
}

const read = new WeakMap<Delivery, Told>();

/** Reads a delivery once, however often it is looked at. */
export function readDelivery(delivery: Delivery): Told {
  const known = read.get(delivery);
  if (known) return known;
  const told = interpret(delivery);
  read.set(delivery, told);
  return told;
}

function interpret(delivery: Delivery): Told {
  const { text, problem } = decodeBody([delivery.body], deliveryHeader(delivery, 'content-encoding'));
  const payload = problem === undefined ? parseJson(text) : undefined;
  const timestamp = member(payload, 'timestamp');
  // Without its offset a time would be read as that of this machine's clock.
  const dated = typeof timestamp === 'string' && /T.*(Z|[+-]\d\d:\d\d)$/i.test(timestamp);
  const time = dated ? Date.parse(timestamp) : Number.NaN;
  return { delivery, text, problem, payload, event: member(payload, 'event'), time };
}

export function deliveryHeader({ headers }: Delivery, name: string): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1];
}

export function tellsOfCall({ event }: Told): boolean {
  return event === 'tool_call.started' || event === 'tool_call.completed' || event === 'tool_call.failed';
}

export function tellsOfEnd({ event }: Told): boolean {
  return event === 'generation.done';
}

/** What was told of one tool call, in the order of arrival. */
export interface ToldCall {
  readonly id: string;
  readonly started: readonly Told[];
  /** Completed or failed. */
  readonly ended: readonly Told[];
}

/** The tool calls that were told of by an id. */
export function callsIn(told: readonly Told[]): readonly ToldCall[] {
  const calls = new Map<string, { id: string; started: Told[]; ended: Told[] }>();
  for (const one of told.filter(tellsOfCall)) {
    const id = callId(one);
    if (typeof id !== 'string' || id === '') continue;
    const call = calls.get(id) ?? { id, started: [], ended: [] };
    calls.set(id, call);
    (one.event === 'tool_call.started' ? call.started : call.ended).push(one);
  }
  return [...calls.values()];
}

/** By what deliveries are the same one again, as far as senders say: their webhook-id, else all that they tell. */
export function likenessOf(one: Told): string {
  return webhookId(one) ?? one.text;
}

/** Without doubt: some senders put the same webhook-id on all that they send, or tell of two chats in the same words. */
export function identityOf(one: Told): unknown {
  const id = webhookId(one);
  return id === undefined ? one : `${id} ${one.text}`;
}

export function webhookId({ delivery }: Told): string | undefined {
  return deliveryHeader(delivery, 'webhook-id') || undefined;
}

export function callId({ payload }: Told): unknown {
  return member(payload, 'data', 'tool_call_id');
}

/** Whether a delivery holds a text as one of its strings. */
export function holdsText({ text }: Told, wanted: string): boolean {
  return text.includes(JSON.stringify(wanted));
}
