import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Tier } from '../../specs/evidence.ts';
import { profiles } from '../../specs/profiles.ts';
import { type RequirementId, requirements } from '../../specs/requirements/index.ts';
import { baseUrlOf } from '../base-url.ts';
import { reasonOf } from '../reason.ts';
import { type FaultHeader, readFaultHeader } from '../transport/fault-header.ts';
import { UsageError } from '../usage-error.ts';
import { openWebhookListener, type WebhookListener } from '../webhooks/listener.ts';
import type { Host } from './host.ts';
import type { RunChoices } from './options.ts';
import { headersOf } from './values.ts';

/** The target of a run, and what it takes to talk to it. */
export interface Subject {
  readonly url: string;
  readonly key: string | undefined;
  readonly disabledKey: string | undefined;
  readonly exhaustedKey: string | undefined;
  readonly tier: Tier | undefined;
  readonly faultHeader: FaultHeader | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly ca: string | undefined;
  /** The language in which it runs execute_code itself. */
  readonly runsTools: string | undefined;
  close(): Promise<void>;
}

/** The target that the options name, or else a reference server that is started now. @throws UsageError */
export async function openSubject(
  choices: RunChoices,
  host: Host,
  say: (line: string) => void,
  webhookUrl?: string,
): Promise<Subject> {
  const headers = headersOf(choices.header);
  if (choices.url !== undefined) {
    return {
      url: baseUrlOf(choices.url, '--url'),
      key: choices.apiKey || undefined,
      disabledKey: choices.disabledKey || undefined,
      runsTools: choices.runsTools || undefined,
      exhaustedKey: choices.exhaustedKey || undefined,
      tier: choices.tier,
      faultHeader: choices.faultHeader,
      headers,
      ca: choices.ca === undefined ? undefined : await readCertificates(choices.ca),
      close: async () => {},
    };
  }
  say('no --url: starting the reference server');
  const reference = await host.startReference({ webhookUrl, gguf: choices.gguf, gpu: choices.gpu });
  say(`the reference server is ready: ${reference.description}`);
  return { ...reference, tier: 'free', faultHeader: readFaultHeader(reference.faultHeader), headers, ca: undefined };
}

/**
 * The listener for webhooks that the options ask for. A reference server delivers to one without being asked, where the
 * profile needs it.
 * @throws BadSettings
 */
export async function openListener(choices: RunChoices): Promise<WebhookListener | undefined> {
  const wanted = choices.url === undefined && profiles[choices.profile].ids.some(isAboutWebhooks);
  const { host, port } = choices.webhookListen ?? { host: '127.0.0.1', port: 0 };
  return choices.webhookListen || wanted ? openWebhookListener(host, port) : undefined;
}

const isAboutWebhooks = (id: RequirementId) => requirements[id].need === 'webhook-listener';

async function readCertificates(path: string): Promise<string> {
  const pem = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--ca ${path} cannot be read: ${reasonOf(error)}`);
  });
  try {
    new X509Certificate(pem);
  } catch {
    throw new UsageError(`--ca ${path} holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----`);
  }
  return pem;
}
