import { loadExitCodes } from '../exit-codes.ts';
import type { LoadHost } from '../host.ts';
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

/** Kubernetes takes these as names of objects. */
const objectName = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Prints what runs a profile on a cluster. @returns the exit code @throws LoadProblem, and what the host throws */
export async function printManifest(profileName: string, choices: ClusterChoices, host: LoadHost): Promise<number> {
  const { url, model, parallelism, secret, namespace, script } = choices;
  if (url === undefined) {
    throw new LoadProblem('usage', 'give --url, the base URL at which the cluster reaches the target');
  }
  for (const [option, name] of Object.entries({ secret, namespace })) {
    if (name !== undefined && !objectName.test(name)) {
      throw new LoadProblem('usage', `--${option} ${name} is no name for Kubernetes: small letters, digits, - and .`);
    }
  }
  const profile = settle(await readProfile(profileName), choices);
  host.stdout.write(
    manifestOf({ profile, url: host.baseUrlOf(url, '--url'), model, parallelism, secret, namespace, script }),
  );
  return loadExitCodes.passed;
}
