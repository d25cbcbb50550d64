import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { LoadProfile, TierCheck, TrafficProfile } from '../../specs/wire.ts';
import { LoadProblem } from '../problem.ts';

/** The scripts of load/k6, each of which is built to one file. */
export const scriptNames = [
  'chat',
  'stream',
  'websocket',
  'soak',
  'tier-requests',
  'tier-concurrency',
  'tier-tokens',
] as const;

export type ScriptName = (typeof scriptNames)[number];

const ofTransport = { json: 'chat', sse: 'stream', websocket: 'websocket' } as const;

const ofCheck: Readonly<Record<TierCheck['check'], ScriptName>> = {
  burst: 'tier-requests',
  paced: 'tier-requests',
  concurrency: 'tier-concurrency',
  tokens: 'tier-tokens',
};

/** The scripts that a profile takes, one after the other. @throws LoadProblem where k6 cannot do what it asks for */
export function scriptsOf(profile: LoadProfile): readonly [ScriptName, ...ScriptName[]] {
  switch (profile.kind) {
    case 'capacity':
      throw new LoadProblem('usage', `${profile.name} searches for a rate, which k6 cannot: take --engine embedded`);
    case 'traffic':
      return [ofTraffic(profile)];
    case 'tier': {
      const [first, ...rest] = new Set(profile.checks.map((check) => ofCheck[check]));
      if (first === undefined) throw new LoadProblem('usage', `${profile.name} has no checks`);
      return [first, ...rest];
    }
  }
}

function ofTraffic({ workload }: TrafficProfile): ScriptName {
  const [transport, ...others] = (['json', 'sse', 'websocket'] as const).filter(
    (each) => (workload.transports[each] ?? 0) > 0,
  );
  return transport === undefined || others.length > 0 ? 'soak' : ofTransport[transport];
}

export function scriptPath(name: ScriptName): string {
  return createRequire(import.meta.url).resolve(`#k6/${name}`);
}

export function readScript(name: ScriptName): string {
  return readFileSync(scriptPath(name), 'utf8');
}
