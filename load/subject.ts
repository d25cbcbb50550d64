import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { LoadProfile } from '../specs/wire.ts';
import type { Endpoint } from './engine/job.ts';
import type { LoadHost } from './host.ts';
import type { LoadChoices } from './options.ts';
import { LoadProblem } from './problem.ts';

/** What is measured. */
export interface Subject {
  readonly endpoint: Endpoint;
  /** What it is, where it was started for the run. */
  readonly description?: string;
  close(): Promise<void>;
}

/** Tokens a second. */
const tierPace = 50;

/** The target that the options name, or else a reference server that is started now. @throws LoadProblem */
export async function openSubject(
  profile: LoadProfile,
  choices: LoadChoices,
  host: LoadHost,
  say: (line: string) => void,
): Promise<Subject> {
  const { url, gguf, gpu, apiKey, ttft, insecure = false } = choices;
  const isPaced = ttft !== undefined || choices.tokensPerSecond !== undefined;
  const backend = choices.backend ?? (isPaced ? 'scripted' : undefined);
  if (backend === 'gguf' && isPaced) {
    throw new LoadProblem('usage', '--ttft and --tokens-per-second pace scripted text: they need --backend scripted');
  }
  if (backend === 'scripted' && (gguf ?? gpu) !== undefined) {
    throw new LoadProblem('usage', '--gguf and --gpu are of a model, and scripted text has none');
  }
  // The streams of a tier's check must not end before the check does.
  const tokensPerSecond = choices.tokensPerSecond ?? (profile.kind === 'tier' ? tierPace : undefined);
  const headers = headersOf(choices.header);
  if (url !== undefined) {
    if (backend !== undefined) {
      throw new LoadProblem(
        'usage',
        '--backend, --ttft and --tokens-per-second are of the reference server, not of --url',
      );
    }
    const ca = choices.ca === undefined ? undefined : await readCertificates(choices.ca);
    return {
      endpoint: { url: host.baseUrlOf(url, '--url'), key: apiKey || undefined, headers, ca, insecure },
      close: async () => {},
    };
  }
  say('no --url: starting the reference server');
  const reference = await host.startReference({
    tier: profile.kind === 'tier' ? profile.tier : 'unlimited',
    ...(profile.kind === 'tier' && { limits: profile.limits }),
    ...(backend && { backend }),
    gguf,
    gpu,
    ...(ttft !== undefined && { ttft }),
    ...(tokensPerSecond !== undefined && { tokensPerSecond }),
  });
  return {
    endpoint: { url: reference.url, key: reference.key, headers, ca: undefined, insecure },
    description: `the reference server on ${reference.description}`,
    close: () => reference.close(),
  };
}

/** The value may be a secret, so an error gives the position only. */
function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line, index) => {
      const colon = line.indexOf(':');
      if (colon < 1)
        throw new LoadProblem('usage', `--header number ${index + 1} does not have the form 'name: value'`);
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}

async function readCertificates(path: string): Promise<string> {
  const pem = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new LoadProblem('usage', `--ca ${path} cannot be read: ${(error as Error).message}`);
  });
  try {
    new X509Certificate(pem);
  } catch {
    throw new LoadProblem('usage', `--ca ${path} holds no certificate in PEM`);
  }
  return pem;
}
