import { Document } from 'yaml';
import type { LoadProfile, TrafficProfile } from '../../specs/wire.ts';
import { k6Image } from '../k6-run/image.ts';
import { readScript, type ScriptName, scriptsOf } from '../k6-run/scripts.ts';
import { LoadProblem } from '../problem.ts';

export interface ClusterRun {
  readonly profile: LoadProfile;
  /** The text of the trace that it names. */
  readonly trace: string | undefined;
  /** Base URL of the target, as the cluster reaches it. */
  readonly url: string;
  readonly model: string | undefined;
  /** One for all runners, so that they send parts of one schedule. */
  readonly seed: number;
  /** Whether any certificate is accepted. */
  readonly insecure: boolean;
  /** Pods that share the load. */
  readonly parallelism: number;
  /** What the runners run, other than the public image of k6. */
  readonly image: string | undefined;
  /** Whether the keys have spent no tokens today. */
  readonly isFresh: boolean;
  /** The Secret that holds the key as STACK29_API_KEY, and another as STACK29_SECOND_KEY where tokens are checked. */
  readonly secret: string;
  readonly namespace: string | undefined;
  /** Default: the first that the profile takes. */
  readonly script: ScriptName | undefined;
}

/** The limit of Kubernetes on what a ConfigMap holds. */
const mostBytes = 2 ** 20;

/** Kubernetes takes names of 63 characters, and k6-operator adds to this one. */
const mostName = 40;

/**
 * A ConfigMap with a script and its profile, and a TestRun of k6-operator that runs them, as YAML.
 * @throws LoadProblem where the profile cannot be run so
 */
export function manifestOf(run: ClusterRun): string {
  const { profile, parallelism, namespace, trace } = run;
  const scripts = scriptsOf(profile);
  const script = run.script ?? scripts[0];
  if (!scripts.includes(script)) {
    throw new LoadProblem(
      'usage',
      `${profile.name} does not take the script ${script}; it takes ${scripts.join(', ')}`,
    );
  }
  if (profile.kind === 'tier' && parallelism > 1) {
    throw new LoadProblem('usage', `${profile.name} counts exactly, which takes one runner: --parallelism 1`);
  }
  const most = profile.kind === 'traffic' ? mostRunners(profile) : 1;
  if (parallelism > most) {
    throw new LoadProblem('usage', `${profile.name} has work for ${most} runners: --parallelism ${most} at most`);
  }
  const name = nameOf(`stack29-${script}-${profile.name}`);
  const metadata = { name, ...(namespace !== undefined && { namespace }) };
  const data = {
    'script.js': readScript(script),
    'profile.json': `${JSON.stringify(profile, null, 2)}\n`,
    ...(trace !== undefined && { 'trace.jsonl': trace }),
  };
  const bytes = Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > mostBytes) {
    throw new LoadProblem('usage', `a ConfigMap holds ${mostBytes} bytes, and the script with its trace are ${bytes}`);
  }
  const configMap = new Document({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
  const testRun = new Document({
    apiVersion: 'k6.io/v1alpha1',
    kind: 'TestRun',
    metadata,
    spec: {
      parallelism,
      script: { configMap: { name, file: 'script.js' } },
      runner: {
        image: run.image ?? k6Image,
        env: Object.entries(environment(run)).map(([variable, value]) => ({ name: variable, value })),
        envFrom: [{ secretRef: { name: run.secret } }],
      },
    },
  });
  configMap.commentBefore = comment(preface(run, name));
  testRun.commentBefore = comment(caveats(run, scripts, script));
  return [configMap, testRun].map((document) => document.toString({ lineWidth: 0 })).join('---\n');
}

function environment({ url, model, seed, trace, insecure, isFresh }: ClusterRun): Record<string, string> {
  return {
    STACK29_URL: url,
    STACK29_PROFILE: './profile.json',
    STACK29_RESULT: 'stdout',
    STACK29_COMMAND: 'k6 run, by k6-operator',
    ...(model !== undefined && { STACK29_MODEL: model }),
    STACK29_SEED: String(seed),
    ...(trace !== undefined && { STACK29_TRACE: './trace.jsonl' }),
    ...(isFresh && { STACK29_FRESH_KEY: '1' }),
    ...(insecure && { K6_INSECURE_SKIP_TLS_VERIFY: 'true' }),
  };
}

function preface({ secret, namespace, profile }: ClusterRun, name: string): string[] {
  const place = namespace === undefined ? '' : ` --namespace ${namespace}`;
  const hasSecond = profile.kind === 'tier' && profile.checks.includes('tokens');
  const literals = ['STACK29_API_KEY', ...(hasSecond ? ['STACK29_SECOND_KEY'] : [])];
  return [
    `For a cluster with k6-operator 1.x. Before it is applied, the ${hasSecond ? 'keys' : 'key'} of the target, which ${hasSecond ? 'are' : 'is'} in no manifest:`,
    `  kubectl create secret generic ${secret}${place}${literals.map((literal) => ` --from-literal=${literal}=…`).join('')}`,
    'After the run, the result of each runner, as JSON in its log:',
    `  kubectl logs${place} --selector k6_cr=${name},runner=true --tail=-1`,
  ];
}

function caveats(
  { parallelism, profile, image = k6Image }: ClusterRun,
  scripts: readonly ScriptName[],
  script: ScriptName,
): string[] {
  const others = scripts.filter((other) => other !== script);
  return [
    isPinned(image)
      ? `${image} is pinned, so that a run can be repeated.`
      : `${image} names no release, so that a later run may be by another k6.`,
    ...(profile.kind === 'tier'
      ? ['A tier is tried by one runner: several would each count a part of what the limit counts whole.']
      : [
          `${parallelism} ${parallelism === 1 ? 'runner sends' : 'runners share'} the requests and the users of the profile, by one seed.`,
          'Thresholds, counts and percentiles are those of each runner by itself: k6-operator adds nothing up, so add the',
          'counts of the results, and take no mean of their percentiles.',
          'Each runner prepares itself with up to four requests, which no result contains.',
        ]),
    ...(others.length > 0
      ? [`The profile also takes --script ${others.join(' and --script ')}: after this one, not beside it.`]
      : []),
  ];
}

function comment(lines: readonly string[]): string {
  return lines.map((line) => ` ${line}`).join('\n');
}

/** A runner without a user or a request would have nothing to do, and find that its thresholds are crossed. */
function mostRunners({ arrival, requests = Number.POSITIVE_INFINITY }: TrafficProfile): number {
  return Math.min(requests, arrival.kind === 'closed' ? arrival.concurrency : Number.POSITIVE_INFINITY);
}

/** Whether an image has a tag that does not move, or a digest. */
function isPinned(image: string): boolean {
  return /@sha256:|:(?!latest$)[\w.-]+$/.test(image);
}

/** A name that Kubernetes takes. */
function nameOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, mostName)
    .replace(/^-|-$/g, '');
}
