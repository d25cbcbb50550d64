import { sleep } from 'k6';
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import type { LoadResult, LoadWorkload, RequestCounts, TrafficProfile } from '../../specs/wire.ts';
import { judgeBounds } from '../bounds.ts';
import { outcomeOfBounds, withDoubts } from '../doubt.ts';
import type { Flight } from '../engine/flight.ts';
import type { Wording } from '../engine/job.ts';
import { defaultTimeoutSeconds, pauseMs } from '../engine/lane.ts';
import { limitsOf } from '../engine/latencies.ts';
import { randomOf } from '../engine/random.ts';
import { placeNotes } from '../engine/socket-key.ts';
import { type Ask, askFor, type TransportName } from '../engine/wording.ts';
import { type Ending, openFlight } from './flight.ts';
import { askForBody, askForWholeStream } from './http-chat.ts';
import { findKeyPlace } from './key-place.ts';
import { learnWording } from './learn.ts';
import {
  clientHealthOf,
  countsOf,
  errorsOf,
  measuredSecondsOf,
  metricsOf,
  summaryTrendStats,
  tokensOf,
} from './measured.ts';
import { recordDelay, recordEnded, recordSent } from './metrics.ts';
import { planOf } from './plan.ts';
import { trafficProfile } from './profile.ts';
import { writtenResult } from './result.ts';
import { isMeasured, measuredFrom, scenariosOf } from './scenarios.ts';
import { askOverSocket } from './socket.ts';
import { askForEvents, sseModule } from './sse.ts';
import { readValue, type SummaryData } from './summary-data.ts';
import { thresholdsOf } from './thresholds.ts';

interface Prepared {
  readonly wording: Wording;
}

interface TrafficScript {
  readonly options: Options;
  setup(): Promise<Prepared>;
  /** Sends one request; every scenario runs it. */
  request(prepared: Prepared): Promise<void>;
  handleSummary(data: SummaryData): Record<string, string>;
}

/**
 * A script that sends the traffic of a profile.
 * @param fallback the ready profile that is used unless the environment names another
 * @param only the one transport that it uses, whatever the profile's mix
 */
export function trafficScript(fallback: string, only?: TransportName, { keepGaps = true } = {}): TrafficScript {
  const profile = trafficProfile(fallback, only);
  const { slos = {}, timeoutSeconds = defaultTimeoutSeconds } = profile;
  const plan = planOf(profile);
  const { seed, schedule } = plan;
  const limits = limitsOf(slos);
  const durationMs = (profile.durationSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  return {
    options: {
      scenarios: scenariosOf(profile, plan, 'request'),
      thresholds: thresholdsOf(profile),
      summaryTrendStats,
      setupTimeout: '300s',
      // What a run left to a user's own connections stays there: users keep theirs from request to request.
      noConnectionReuse: false,
      userAgent: 'stack29-conformance (k6)',
      // All but the URL, in whose query a WebSocket may have the key.
      systemTags: ['status', 'method', 'name', 'group', 'error', 'error_code', 'scenario', 'expected_response'],
    },

    async setup() {
      const wording = learnWording(profile.workload);
      const found = await findKeyPlace(wording);
      return { wording: { ...wording, ...(found && { keyPlace: found.place }) } };
    },

    async request({ wording }) {
      const { name, startTime, iterationInTest } = exec.scenario;
      const planned = schedule?.[iterationInTest];
      const due = planned === undefined ? Date.now() : startTime + planned.at;
      const from = measuredFrom(name, startTime, profile);
      // The user of a run that has ended would begin once more.
      if (due - from >= durationMs) return;
      if (planned !== undefined) sleep(Math.max(0, due - Date.now()) / 1000);
      const ask = askFor(wording, randomOf(seed, iterationInTest), planned?.lengths);
      const measured = isMeasured(name, due, startTime, profile);
      const gaps: number[] = [];
      const flight = openFlight(due, measured && keepGaps, gaps);
      const recorded = { transport: ask.transport, measured, from, durationMs, limits, gaps };
      recordSent(recorded, due);
      recordDelay(recorded, planned === undefined ? 0 : Date.now() - due);
      const ending = await answerTo(wording, ask, flight, timeoutSeconds);
      recordEnded(recorded, flight, ending);
      if (planned === undefined && ending !== 'succeeded') sleep(pauseMs / 1000);
    },

    handleSummary: (data) => {
      const prepared = data.setup_data as Prepared | undefined;
      return writtenResult(resultOf(profile, seed, data, prepared, keepGaps));
    },
  };
}

function answerTo(wording: Wording, ask: Ask, flight: Flight, timeoutSeconds: number): Ending | Promise<Ending> {
  switch (ask.transport) {
    case 'json':
      return askForBody(wording, ask, flight, timeoutSeconds);
    case 'sse':
      if (sseModule) return askForEvents(sseModule, wording, ask, flight);
      return askForWholeStream(wording, ask, flight, timeoutSeconds);
    case 'websocket':
      return askOverSocket(wording, ask, flight, timeoutSeconds);
  }
}

function resultOf(
  profile: TrafficProfile,
  seed: number,
  data: SummaryData,
  prepared: Prepared | undefined,
  keepGaps: boolean,
): Parameters<typeof writtenResult>[0] {
  const metrics = metricsOf(data);
  const clientHealth = clientHealthOf(data);
  const errors = errorsOf(data);
  const requests = countsOf(data);
  const bounds = withDoubts(judgeBounds(metrics, profile.slos, profile.thresholds), { clientHealth, errors, requests });
  return {
    model: prepared?.wording.model,
    runMs: data.state.testRunDurationMs,
    seed,
    profile,
    measuredSeconds: measuredSecondsOf(data),
    requests,
    tokens: tokensOf(data),
    metrics,
    errors,
    clientHealth,
    bounds,
    notes: [
      ...notesOf(profile, keepGaps),
      ...placeNotes(prepared?.wording.keyPlace),
      ...(requests.limited > 0
        ? [`${requests.limited} requests were refused with 429: the limit of the key, not what the target can carry`]
        : []),
    ],
    outcome: outcomeOf(bounds, requests, readValue(data, 'dropped_iterations')),
  };
}

/** Requests that k6 did not send, or did not see answered, leave open what the target would have made of them. */
function outcomeOf(
  bounds: LoadResult['bounds'],
  { sent, succeeded, unfinished }: RequestCounts,
  dropped: number,
): LoadResult['outcome'] {
  // What was never sent crosses no bound.
  if (sent === 0) return 'incomplete';
  const outcome = outcomeOfBounds(bounds);
  const isWhole = succeeded > 0 && unfinished === 0 && dropped === 0;
  return outcome === 'passed' && !isWhole ? 'incomplete' : outcome;
}

function notesOf({ arrival, workload }: TrafficProfile, keepGaps: boolean): string[] {
  const { json = 0, sse = 0, websocket = 0 }: LoadWorkload['transports'] = workload.transports;
  return [
    'k6 reads most times from a clock of 1 ms',
    ...(arrival.kind === 'closed' ? [] : ['requests are due as the embedded engine has them under the same seed']),
    ...(json > 0 ? ['answers in one JSON body have no first content, so that TTFT, ICL and TPOT leave them out'] : []),
    ...(sse > 0 && !sseModule
      ? [
          'k6 gives a stream only once it is whole: no TTFT, ICL and TPOT of streams, and their E2E ends with the stream',
        ]
      : []),
    ...(sse > 0 && sseModule ? ['an event of a stream has the time at which k6/x/sse handed it to the script'] : []),
    ...(websocket > 0 ? ['pieces over a WebSocket have the time at which k6 read them from the socket'] : []),
    ...(keepGaps ? [] : ['ICL is left out: k6 keeps every sample in memory, which a long run would fill']),
  ];
}
