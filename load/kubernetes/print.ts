import { randomInt } from 'node:crypto';
import { loadExitCodes } from '../exit-codes.ts';
import type { LoadHost } from '../host.ts';
import { traceOf } from '../k6-run/measure-by-k6.ts';
import type { ScriptName } from '../k6-run/scripts.ts';
import type { LoadChoices } from '../options.ts';
import { LoadProblem } from '../problem.ts';
import { readProfile } from '../profile.ts';
import { settle } from '../settle.ts';
import { manifestOf } from './manifest.ts';

/** The options of `load kubernetes`, those of `load` among them. */
export type ClusterChoices = LoadChoices & {
  readonly parallelism: number;
  readonly secret: string;
  readonly namespace?: string;
  readonly script?: ScriptName;
};

/** What Kubernetes takes as a name; that of a namespace has no dots. */
const names = {
  secret: {
    form: /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    words: 'digits, - and .',
  },
  namespace: { form: /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, words: 'digits and -' },
} as const;

/** Prints what runs a profile on a cluster. @returns the exit code @throws LoadProblem, and what the host throws */
export async function printManifest(profileName: string, choices: ClusterChoices, host: LoadHost): Promise<number> {
  const { url, model, seed, insecure = false, parallelism, secret, namespace, script } = choices;
  const { k6Image: image, freshKey = false } = choices;
  refuseOthers(choices);
  if (url === undefined) {
    throw new LoadProblem('usage', 'give --url, the base URL at which the cluster reaches the target');
  }
  for (const [option, name] of [
    ['secret', secret],
    ['namespace', namespace],
  ] as const) {
    const { form, words } = names[option];
    if (name !== undefined && !form.test(name)) {
      throw new LoadProblem('usage', `--${option} ${name} is no name for Kubernetes: small letters, ${words}`);
    }
  }
  const profile = settle(await readProfile(profileName), { ...choices, engine: 'k6' });
  host.stdout.write(
    manifestOf({
      profile,
      trace: await traceOf(profile, profileName),
      url: host.baseUrlOf(url, '--url'),
      model,
      seed: seed ?? randomInt(2 ** 31),
      insecure,
      isFresh: freshKey,
      parallelism,
      image,
      secret,
      namespace,
      script,
    }),
  );
  return loadExitCodes.passed;
}

/** What to do in the place of options of `load` that a manifest has no place for. */
const instead = {
  header: 'a header may be a secret: put STACK29_HEADERS, a JSON object, into the Secret beside the key',
  ca: 'the runners trust the certificates of their image: give --insecure, or add a volume to the manifest',
  out: 'the manifest goes to standard output: > run.yaml',
  workers: 'runners share the load: --parallelism',
  k6: 'the runners have an image of k6: --k6-image',
  gguf: 'a cluster measures what --url names',
  gpu: 'a cluster measures what --url names',
  backend: 'a cluster measures what --url names',
  ttft: 'a cluster measures what --url names',
  tokensPerSecond: 'a cluster measures what --url names',
} as const satisfies Partial<Record<keyof LoadChoices, string>>;

function refuseOthers(choices: LoadChoices): void {
  for (const [name, advice] of Object.entries(instead)) {
    const value = choices[name as keyof typeof instead];
    if (value === undefined || (name === 'workers' && value === 1)) continue;
    if (Array.isArray(value) && value.length === 0) continue;
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new LoadProblem('usage', `--${flag} means nothing to load kubernetes: ${advice}`);
  }
}
