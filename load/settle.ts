import type { LoadArrival, LoadProfile, LoadWorkload, TrafficProfile } from '../specs/wire.ts';
import type { LoadChoices, Threshold } from './options.ts';
import { LoadProblem } from './problem.ts';
import { validProfile } from './profile.ts';

/** What the checks of a tier fix for themselves, in this engine. */
const notOfTiers = ['transport', 'tokens', 'promptTokens', 'timeout', 'workers'] as const;

/** What only the checks of a tier take. */
const ofTiers = ['freshKey', 'limit'] as const;

/** A profile with what the options change of it. @throws LoadProblem where an option does not fit the profile */
export function settle(profile: LoadProfile, choices: LoadChoices): LoadProfile {
  const { timeout } = choices;
  const common = {
    workload: settleWorkload(profile.workload, choices),
    ...(timeout !== undefined && { timeoutSeconds: timeout }),
  };
  return validProfile(changed(profile, choices, common), `the profile ${profile.name} with these options`);
}

function changed(profile: LoadProfile, choices: LoadChoices, common: { readonly workload: LoadWorkload }): LoadProfile {
  const { duration, warmUp, rate } = choices;
  switch (profile.kind) {
    case 'traffic':
      refuse(profile, choices, ofTiers);
      return { ...settleTraffic(profile, choices), ...common };
    case 'capacity': {
      refuse(profile, choices, ['concurrency', 'requests', 'threshold', ...ofTiers]);
      const search = {
        ...profile.search,
        ...(duration !== undefined && { stepSeconds: duration }),
        ...(warmUp !== undefined && { warmUpSeconds: warmUp }),
        ...(rate !== undefined && { toRate: rate, fromRate: Math.min(rate, profile.search.fromRate) }),
      };
      const slos = choices.slo.length > 0 ? boundsOf(choices.slo) : profile.slos;
      return { ...profile, ...common, search, slos };
    }
    case 'tier':
      refuse(profile, choices, ['duration', 'warmUp', 'requests', 'rate', 'concurrency', 'slo', 'threshold']);
      refuse(profile, choices, choices.engine === 'k6' ? ['transport'] : notOfTiers);
      return {
        ...profile,
        ...common,
        limits: { ...profile.limits, ...Object.fromEntries(choices.limit.map(({ name, value }) => [name, value])) },
      };
  }
}

function settleTraffic(profile: TrafficProfile, choices: LoadChoices): TrafficProfile {
  const { warmUp, requests, slo, threshold } = choices;
  const arrival = settleArrival(profile.arrival, choices);
  // A ramp of another length keeps its shape, and ends by itself.
  const duration = arrival.kind === 'ramp' ? undefined : choices.duration;
  const { durationSeconds: _, requests: __, ...rest } = profile;
  // Who names one length does not want the profile's other one.
  const isNamed = choices.duration !== undefined || requests !== undefined;
  const { durationSeconds, requests: most } = isNamed ? { durationSeconds: duration, requests } : profile;
  const length = {
    ...(durationSeconds !== undefined && { durationSeconds }),
    ...(most !== undefined && { requests: most }),
  };
  return {
    ...rest,
    ...length,
    arrival,
    ...(warmUp !== undefined && { warmUpSeconds: warmUp }),
    ...(slo.length > 0 && { slos: { ...profile.slos, ...boundsOf(slo) } }),
    ...(threshold.length > 0 && {
      thresholds: {
        ...profile.thresholds,
        ...Object.fromEntries(threshold.map(({ name, bound }) => [name, { ...profile.thresholds?.[name], ...bound }])),
      },
    }),
  };
}

function settleArrival(arrival: LoadArrival, { duration, rate, concurrency }: LoadChoices): LoadArrival {
  if (rate !== undefined) return { kind: arrival.kind === 'constant' ? 'constant' : 'poisson', rate };
  if (concurrency !== undefined) return { kind: 'closed', concurrency };
  if (arrival.kind !== 'ramp' || duration === undefined) return arrival;
  const whole = arrival.stages.reduce((sum, { seconds }) => sum + seconds, 0);
  const stages = arrival.stages.map((stage) => ({ ...stage, seconds: (stage.seconds * duration) / whole }));
  return { ...arrival, stages };
}

function settleWorkload(workload: LoadWorkload, { tokens, promptTokens, transport }: LoadChoices): LoadWorkload {
  return {
    ...workload,
    ...(tokens !== undefined && { outputTokens: tokens }),
    ...(promptTokens !== undefined && { promptTokens }),
    ...(transport !== undefined && { transports: { [transport]: 1 } }),
  };
}

function boundsOf(slos: readonly Threshold[]): Record<string, number> {
  return Object.fromEntries(slos.flatMap(({ name, bound }) => ('atMost' in bound ? [[name, bound.atMost]] : [])));
}

function refuse({ name, kind }: LoadProfile, choices: LoadChoices, options: readonly (keyof LoadChoices)[]): void {
  for (const option of options) {
    const value = choices[option];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    if (option === 'workers' && value === 1) continue;
    const flag = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new LoadProblem('usage', `--${flag} means nothing to the ${kind} profile ${name}`);
  }
}
