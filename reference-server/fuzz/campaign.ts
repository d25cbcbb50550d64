import fc from 'fast-check';
import { scriptedBackend } from '../backends/scripted.ts';
import type { Behaviour } from '../behaviour.ts';
import { startServer } from '../server.ts';
import { provokeOverSocket } from './dialog.ts';
import { provoke } from './exchange.ts';
import { dialogs, type SocketStimulus } from './messages.ts';
import { requests, type Stimulus } from './requests.ts';

export interface CampaignSettings {
  readonly count: number;
  readonly seed: number;
  /** A fault, to see that it is found. */
  readonly behaviour?: Behaviour;
  /** Of a failure that was found before: goes straight to it. */
  readonly path?: string | undefined;
}

export interface Campaign {
  /** Answers by status, and `none`; of sockets, those that went on and were closed as `socket` and `close`. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly failure?: {
    readonly reason: string;
    /** The smallest stimulus found that fails. */
    readonly stimulus: string;
    readonly path: string;
  };
}

const key = 'sk-fuzz-key';
const plenty = { requestsPerMinute: 10 ** 9, tokensPerDay: 10 ** 12, concurrent: 1000 };

/**
 * Sends generated requests, and messages on open sockets, to a reference server, one after the other, and demands of
 * each: no 5xx, every error in the envelope, no error of the server's own, and a server that answers a plain chat
 * afterwards.
 */
export async function runCampaign({ count, seed, path, behaviour = {} }: CampaignSettings): Promise<Campaign> {
  const faults: unknown[] = [];
  const backend = scriptedBackend({ vision: true });
  const server = await startServer({
    backend,
    keys: [{ key, limits: plenty, disabled: false }],
    behaviour,
    bodyLimit: 100_000,
    // Requests without a key have the limit of an address, which is to refuse some of them, not all.
    windowSeconds: 1,
    onFault: (error) => faults.push(error),
  });
  const port = Number(new URL(server.url).port);
  const statuses: Record<string, number> = {};
  const stimuli = fc.oneof(
    { weight: 3, arbitrary: requests(backend.model.id, key) },
    { weight: 1, arbitrary: dialogs(backend.model.id) },
  );
  try {
    const details = await fc.check(
      fc.asyncProperty(stimuli, async (stimulus) => {
        const status =
          'frames' in stimulus ? await provokeOverSocket(port, key, stimulus) : await provoke(port, stimulus);
        statuses[status] = (statuses[status] ?? 0) + 1;
        const [fault] = faults.splice(0);
        if (fault !== undefined) throw new Error('the server failed by itself', { cause: fault });
      }),
      { numRuns: count, seed, ...(path !== undefined && { path }), includeErrorInReport: true },
    );
    if (details.failed) {
      const [stimulus] = details.counterexample ?? [];
      return {
        statuses,
        failure: {
          reason: wordsOf(details.errorInstance),
          stimulus: stimulus === undefined ? 'none' : shown(stimulus),
          path: details.counterexamplePath ?? '',
        },
      };
    }
    await provoke(port, plainChat(backend.model.id));
    return { statuses };
  } finally {
    await server.close();
  }
}

/** What a server that is well answers with 200. */
function plainChat(model: string): Stimulus {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 });
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  return { bytes: Buffer.from(head + body), method: 'POST', mayGoUnanswered: false };
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.stack}` : error.message;
}

/** A request as a shell writes it, which sends it again; for a socket, its frames one a line. */
function shown(stimulus: Stimulus | SocketStimulus): string {
  if (!('frames' in stimulus)) return `printf '${escaped(stimulus.bytes)}' | nc 127.0.0.1 3000`;
  return stimulus.frames
    .map(({ kind, data, split }) => `${kind}${split ? ' in two frames' : ''}: '${escaped(data)}'`)
    .join('\n');
}

function escaped(bytes: Buffer): string {
  const characters = [...bytes.toString('latin1').replaceAll(key, 'YOUR_API_KEY')].map((character) => {
    const code = character.charCodeAt(0);
    if (character === '\r') return '\\r';
    if (character === '\n') return '\\n';
    if (code < 0x20 || code > 0x7e || "'%\\".includes(character)) return `\\x${code.toString(16).padStart(2, '0')}`;
    return character;
  });
  return characters.join('');
}
