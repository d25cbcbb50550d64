import type { LoadWorkload } from '../../specs/wire.ts';
import type { Wording } from './job.ts';
import { type Random, wholeFrom } from './random.ts';

export type TransportName = keyof LoadWorkload['transports'];

const words =
  'apple bread chair dance eagle fruit glass house image juice knife lemon money night ocean piano queen river sugar table uncle voice water youth zebra'.split(
    ' ',
  );

const tool = {
  type: 'function',
  function: {
    name: 'look_up',
    description: 'Looks a word up',
    parameters: { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] },
  },
};

/** Words without order, so that no two prompts share a beginning that a target could have cached. */
export function promptOf(count: number, random: Random): string {
  return Array.from({ length: count }, () => words[Math.floor(random() * words.length)]).join(' ');
}

/** One request as the wording has it. */
export interface Ask {
  readonly transport: TransportName;
  readonly messages: readonly { readonly role: 'user'; readonly content: string }[];
  readonly maxTokens: number;
}

/** @param lengths given by a trace; else the workload's */
export function askFor(
  { workload, promptCost }: Wording,
  random: Random,
  lengths?: { readonly promptTokens: number; readonly outputTokens: number },
): Ask {
  const transport = chooseTransport(workload, random);
  const promptTokens = lengths?.promptTokens ?? wholeFrom(workload.promptTokens, random);
  const maxTokens = lengths?.outputTokens ?? wholeFrom(workload.outputTokens, random);
  const count = Math.max(1, Math.round((promptTokens - promptCost.fixed) / promptCost.perWord));
  return { transport, messages: [{ role: 'user', content: promptOf(count, random) }], maxTokens };
}

function chooseTransport({ transports }: LoadWorkload, random: Random): TransportName {
  const weights = Object.entries(transports) as [TransportName, number][];
  let point = random() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight] of weights) {
    point -= weight;
    if (point < 0) return name;
  }
  return weights.at(-1)?.[0] ?? 'sse';
}

/** Words of the two prompts that show what a prompt costs. */
export const trialWords = { short: 8, long: 40 } as const;

/** What a prompt costs, by what the two cost, in tokens; where nobody says, each word is one. */
export function promptCostOf(short: number | undefined, long: number | undefined): Wording['promptCost'] {
  if (short === undefined || long === undefined || long <= short) return { fixed: 0, perWord: 1 };
  const perWord = (long - short) / (trialWords.long - trialWords.short);
  return { fixed: short - trialWords.short * perWord, perWord };
}

/** What every transport sends of a request. */
export function membersOf(
  { model, workload }: Pick<Wording, 'model' | 'workload'>,
  { messages, maxTokens }: Pick<Ask, 'messages' | 'maxTokens'>,
) {
  return {
    model,
    messages,
    max_tokens: maxTokens,
    ...(workload.temperature !== undefined && { temperature: workload.temperature }),
    ...(workload.tools && { tools: [tool] }),
  };
}
