/** The document's example of a chat that offers a tool, in words of our own. */
export const toolMessages = [{ role: 'user', content: 'Make a file that is called hello.py' }] as const;

export const writeFile = {
  type: 'function',
  function: {
    name: 'write_file',
    description: 'Writes text to a file',
    parameters: { type: 'object', properties: { path: { type: 'string' }, content: { type: 'string' } } },
  },
} as const;
