/** One user message, as `messages` of a chat. */
export function ask(content: string): readonly { readonly role: 'user'; readonly content: string }[] {
  return [{ role: 'user', content }];
}

/** Any model answers it at length, so that a bound on tokens cuts the answer off. */
export const longAnswer = ask('Count from 1 to 2000 in words, one number a line. Do not stop early.');

/** A second definition, so that there is a choice; without arguments. */
export const clockTool = {
  type: 'function',
  function: {
    name: 'get_time',
    description: 'Reports the time of day',
    parameters: { type: 'object', properties: {} },
  },
} as const;

/** A definition in the documented form. */
export const weatherTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Reports the weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
} as const;
