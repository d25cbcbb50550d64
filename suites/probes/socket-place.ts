import type { DialogStep } from '../../specs/evidence.ts';
import { need } from '../expect.ts';
import type { Baseline, ChatMembers, RequestOptions, Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { refusedForNow } from '../socket.ts';
import { keyWord } from '../transport/credentials.ts';
import { someTokens } from './answer.ts';
import { longAnswer } from './prompts.ts';
import { generated } from './socket-turns.ts';

/** Where a socket takes its key. */
export type KeyPlace = 'header' | 'start' | 'query';

const keyPlaces: readonly KeyPlace[] = ['header', 'start', 'query'];

/** A start as text: a short piece of a long answer, unless `members` say otherwise. */
export function startText({ baseline }: Pick<Target, 'baseline'>, place: KeyPlace, members: ChatMembers = {}): string {
  return JSON.stringify({
    type: 'start',
    ...(place === 'start' && { api_key: keyWord }),
    model: baseline.model,
    messages: longAnswer,
    temperature: 0,
    max_tokens: someTokens,
    ...members,
  });
}

/** Opens a socket with the key in this place. */
export function talk(
  target: Target,
  place: KeyPlace,
  dialog: readonly DialogStep[],
  options: RequestOptions = {},
): Promise<Reply> {
  const path = place === 'query' ? `/ws/chat?api_key=${keyWord}` : '/ws/chat';
  return target.send('GET', path, undefined, { ...options, dialog });
}

/** The place that a request gives its key in. */
export function placeOf({ exchange: { request } }: Reply): KeyPlace {
  if (request.path.includes(keyWord)) return 'query';
  return JSON.stringify(request.dialog ?? []).includes(keyWord) ? 'start' : 'header';
}

/** Tries the places one after the other. @returns what each brought; the last one generated, where any did */
export async function tryPlaces(
  target: Target,
  dialogOf: (place: KeyPlace) => readonly DialogStep[],
): Promise<readonly Reply[]> {
  const attempts: Reply[] = [];
  for (const place of keyPlaces) {
    const reply = await talk(target, place, dialogOf(place));
    attempts.push(reply);
    if (generated(reply) || !mayLackKey(reply.status)) break;
  }
  known.set(target.baseline, attempts.at(-1));
  return attempts;
}

/** Whether a key in another place may bring another answer: there is a socket, or a refusal that may be for the key. */
function mayLackKey(status: number): boolean {
  return status === 101 || (status >= 400 && status < 500 && ![404, 405, 426, 429].includes(status));
}

/** What the last try of a run brought, so that it is tried once. */
const known = new WeakMap<Baseline, Reply | undefined>();

/** At most what {@link findPlace} sends. */
export const placeCost = { requests: 6, tokens: 700 } as const;

/** @throws Inconclusive where no place opens a socket that generates */
export async function findPlace(target: Target): Promise<KeyPlace> {
  if (!known.has(target.baseline)) {
    await tryPlaces(target, (place) => [
      { send: startText(target, place) },
      { await: ['done'], endAt: ['error'], sinceStart: true },
    ]);
  }
  const last = known.get(target.baseline);
  need(
    last === undefined || !(last.status === 429 || refusedForNow(last.messages)),
    'a start over a socket was refused by a limit, for the tokens of the day or because the service is down',
  );
  need(
    last !== undefined && generated(last),
    'no socket with the valid key generated anything, so this proves nothing',
  );
  return placeOf(last);
}
