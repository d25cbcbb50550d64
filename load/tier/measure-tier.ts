import type { TierProfile } from '../../specs/wire.ts';
import type { Endpoint, Wording } from '../engine/job.ts';
import type { FoundPlace } from '../find-key-place.ts';
import type { LiveView } from '../live.ts';
import { SocketChats } from '../socket-chats.ts';
import { Contact } from '../target.ts';
import type { Measured } from '../traffic.ts';
import { steady } from './chat-words.ts';
import { checkTier } from './check-tier.ts';

interface TierSettings {
  readonly endpoint: Endpoint;
  readonly contact: Contact;
  readonly wording: Wording;
  /** Where the key of a socket is taken, if that was found out. */
  readonly found: FoundPlace | undefined;
  /** Another key of the tier. */
  readonly secondKey: string | undefined;
  /** Whether the keys are known to have spent no tokens today. */
  readonly isFresh: boolean;
  readonly signal: AbortSignal;
  readonly view: Pick<LiveView, 'say' | 'show'>;
}

/** Makes the checks of a tier, over sockets too where the profile has a share for them. @throws LoadProblem */
export async function measureTier(profile: TierProfile, settings: TierSettings): Promise<Measured> {
  const { endpoint, contact, wording, found, secondKey, isFresh, signal, view } = settings;
  const isWanted = (profile.workload.transports.websocket ?? 0) > 0;
  const isThere = endpoint.key === undefined || found !== undefined;
  const sockets =
    isWanted && isThere
      ? new SocketChats(endpoint, { ...wording, workload: { ...wording.workload, ...steady } }, signal)
      : undefined;
  const second = secondKey === undefined ? undefined : new Contact({ ...endpoint, key: secondKey }, signal);
  const hasUsage = found?.answer.status !== 200 || found.answer.tokens !== undefined;
  contact.spend(found?.answer.tokens ?? 0);
  try {
    return await checkTier(profile, {
      contact,
      wording,
      sockets,
      noSockets: isWanted && !isThere ? 'no chat over a socket is answered' : undefined,
      isSocketUsageKnown: hasUsage,
      second,
      isFresh,
      signal,
      say: view.say,
      show: view.show,
    });
  } finally {
    await sockets?.close();
    await second?.close();
  }
}
