import type { RunOptions } from '../specs/evidence.ts';
import { isObject, member } from './member.ts';
import type { Baseline, Client, ListedModel } from './probe.ts';
import type { Reply } from './reply.ts';
import { printable } from './report/printable.ts';

/** Why a run cannot begin; the message says what is there instead of the API, and what to do, safe to print. */
export class TargetProblem extends Error {
  /** `unreachable`: nothing that could be judged answers. `input`: the user must give something else. */
  readonly kind: 'unreachable' | 'input';
  constructor(kind: 'unreachable' | 'input', message: string) {
    super(printable(message));
    this.kind = kind;
  }
}

/** At most what {@link meetTarget} sends. */
export const baselineCost = { requests: 4, tokens: 60 } as const;

/**
 * Makes the first contact: lists the models, chooses one, and chats once.
 * @throws TargetProblem where no requirement could be judged whatever the target is
 */
export async function meetTarget(open: (model: string) => Client, options: RunOptions): Promise<Baseline> {
  const { url } = options;
  const client = open(options.model ?? '');
  const list = await client.send('GET', '/models');
  const models = list.status === 200 ? listedModels(list.json) : [];
  const model = options.model ?? models[0]?.id;
  if (model === undefined) throw await diagnose(list, client, options);

  const chat = await client.chat({ model });
  if (chat.status === 200 && !chat.failure) return { list, chat, models, model };
  if (list.status !== 200) {
    const keyless = chat.status === 401 || chat.status === 403;
    throw await diagnose(list.failure || keyless ? chat : list, client, options);
  }
  if (chat.status === 401 || chat.status === 403) {
    // A list that is public says nothing of the key; one that the key opened says that the key is good.
    const anonymous = await client.send('GET', '/models', undefined, { credential: 'none' });
    if (anonymous.status === 200) throw keyRefused(chat);
  }
  if (chat.status === 404 && options.model !== undefined && !models.some(({ id }) => id === model)) {
    const known = models.map(({ id }) => id).join(', ');
    throw new TargetProblem('input', `${url} does not know the model ${model}; it lists ${known || 'none'}`);
  }
  return { list, chat, models, model };
}

async function diagnose(reply: Reply, client: Client, options: RunOptions): Promise<TargetProblem> {
  const { url } = options;
  const { status, failure } = reply;
  const asked = `${reply.exchange.request.method} ${url}${reply.exchange.request.path}`;
  if (failure) return new TargetProblem('unreachable', `${asked} was not answered: ${failure.message}`);
  if (status >= 300 && status < 400) {
    const place = reply.header('location') ?? 'nowhere';
    return new TargetProblem('input', `${asked} redirects to ${place}; give the base URL of the API itself`);
  }
  if (reply.mediaType === 'text/html' || /^\s*<(!doctype|html)/i.test(reply.text)) {
    const title = /<title>([^<]{1,80})/i.exec(reply.text)?.[1]?.trim();
    const page = title ? ` ("${title}")` : '';
    const what = `a web page${page} with status ${status} answers ${asked}: a proxy, a gateway or a site, not the API`;
    return (await missingV1(client, url)) ?? new TargetProblem('unreachable', what);
  }
  if (status === 401 || status === 403) return keyRefused(reply);
  if (status === 429) {
    return new TargetProblem(
      'unreachable',
      `${asked} was answered with 429: the rate limit of this key is spent; wait, or give another key`,
    );
  }
  const missing = await missingV1(client, url);
  if (missing) return missing;
  if (status === 200 && reply.json !== undefined) {
    return new TargetProblem('input', `${asked} lists no model that could be asked for; name one with --model`);
  }
  return new TargetProblem(
    'unreachable',
    `${asked} was answered with ${status}; if the API has no list of models, name one with --model`,
  );
}

/** Whether the API lies one step below the URL that was given. */
async function missingV1(client: Client, url: string): Promise<TargetProblem | undefined> {
  if (url.endsWith('/v1')) return undefined;
  const reply = await client.send('GET', '/v1/models');
  const isApi = reply.json !== undefined && (reply.status === 200 || reply.status === 401 || reply.status === 403);
  return isApi ? new TargetProblem('input', `${url} lacks its /v1: give ${url}/v1`) : undefined;
}

function keyRefused(reply: Reply): TargetProblem {
  const { headers, path } = reply.exchange.request;
  const message = member(reply.json, 'error', 'message');
  const words = typeof message === 'string' ? ` ("${message.slice(0, 120)}")` : '';
  const answer = `${reply.status}${words} on ${path}`;
  const isGiven = headers.some(([name]) => name.toLowerCase() === 'authorization');
  return new TargetProblem(
    'input',
    isGiven
      ? `the target refused the key with ${answer}; give a valid one with --api-key or STACK29_API_KEY`
      : `the target asks for a key with ${answer}; give one with --api-key or STACK29_API_KEY`,
  );
}

function listedModels(list: unknown): readonly ListedModel[] {
  const data = member(list, 'data');
  if (!Array.isArray(data)) return [];
  return data.filter(isObject).flatMap((entry) => {
    const { id, context_window: window } = entry;
    const can = (what: string) => {
      const flag = member(entry.capabilities ?? entry.Capabilities, what);
      return typeof flag === 'boolean' ? flag : undefined;
    };
    if (typeof id !== 'string' || id === '') return [];
    return [
      {
        id,
        contextWindow: typeof window === 'number' && Number.isInteger(window) && window > 0 ? window : undefined,
        streaming: can('streaming'),
        tools: can('tools'),
        vision: can('vision'),
      },
    ];
  });
}
