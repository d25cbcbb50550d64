import { ask } from './prompts.ts';

/** Sound, and wrong, in JavaScript and in Python alike. */
export const soundCode = '1 + 1';
export const failingCode = 'name_that_nobody_defined';

/** A chat that lets the model write nothing but this program: it stands in the schema of the arguments. */
export function forceCode(code: string, language = 'javascript') {
  return {
    messages: ask(`Run this ${language} program: ${code}`),
    tools: [
      {
        type: 'function',
        function: {
          name: 'execute_code',
          description: 'Runs code and gives back what it prints',
          parameters: {
            type: 'object',
            properties: { code: { type: 'string', enum: [code] }, language: { type: 'string', enum: [language] } },
            required: ['code', 'language'],
          },
        },
      },
    ],
    tool_choice: { type: 'function', function: { name: 'execute_code' } },
    max_tokens: 512,
  };
}
