import http, { type Response } from 'k6/http';
import type { LoadWorkload } from '../../specs/wire.ts';
import type { Wording } from '../engine/job.ts';
import { randomFrom } from '../engine/random.ts';
import { parseObject } from '../engine/reading.ts';
import { promptCostOf, promptOf, trialWords } from '../engine/wording.ts';
import { requestHeaders, settings, targetUrl } from './settings.ts';

/**
 * Finds out how to word the requests, as the embedded engine does: the model, what a prompt costs, and whether streams
 * report their usage. Takes at most four requests, which no measurement contains.
 * @throws where the target does not answer as an API with a valid key does
 */
export function learnWording(workload: LoadWorkload): Wording {
  const model = learnModel();
  const random = randomFrom(29);
  const chat = (words: number, members: object) => {
    const messages = [{ role: 'user', content: promptOf(words, random) }];
    return http.post(
      `${targetUrl()}/chat/completions`,
      JSON.stringify({ model, messages, max_tokens: 1, ...members }),
      { headers: requestHeaders(), timeout: '60s', tags: { name: 'preparation' } },
    );
  };
  const costOf = (words: number) => promptTokens(checked(chat(words, {})));
  const promptCost = promptCostOf(costOf(trialWords.short), costOf(trialWords.long));
  // The document does not list stream_options, so that a target may refuse them.
  const askUsage =
    (workload.transports.sse ?? 0) > 0 &&
    chat(trialWords.short, { stream: true, stream_options: { include_usage: true } }).status === 200;
  return { model, workload, askUsage, promptCost };
}

/**
 * The model that the environment names, else the first that the target lists, which is asked in either case: the run
 * ends here where it does not answer, or refuses the key.
 */
export function learnModel(): string {
  const { body } = checked(
    http.get(`${targetUrl()}/models`, { headers: requestHeaders(), timeout: '60s', tags: { name: 'preparation' } }),
  );
  if (settings.model !== undefined) return settings.model;
  const { data } = parseObject(String(body)) ?? {};
  const id: unknown = Object(Array.isArray(data) ? data[0] : undefined).id;
  if (typeof id === 'string') return id;
  throw new Error('GET /models lists no model: is this the API? If it is, give -e STACK29_MODEL=…');
}

/** An answer with status 200. @throws what another status means */
function checked(response: Response): Response {
  switch (response.status) {
    case 200:
      return response;
    case 0:
      throw new Error(`the target does not answer: ${response.error}`);
    case 401:
    case 403:
      throw new Error(`the target refuses the key (${response.status}): give a valid one in STACK29_API_KEY`);
    case 404:
      throw new Error('the target answers 404: does STACK29_URL end in /v1, and does it know STACK29_MODEL?');
    case 429:
      throw new Error('the limit of the key is spent (429): wait, or give another key');
    default:
      throw new Error(`the target answers with ${response.status}: it cannot be measured`);
  }
}

function promptTokens({ body }: Response): number | undefined {
  const tokens: unknown = Object(parseObject(String(body))?.usage).prompt_tokens;
  return typeof tokens === 'number' ? tokens : undefined;
}
