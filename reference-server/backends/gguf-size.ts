import { argumentsOf, type BackendMessage, type BackendTool } from './backend.ts';

/**
 * Bytes of text that a prompt has at least, or any number above `most` where it has more than that: the contents, the
 * calls and the tools, and a byte for whatever a template sets off from the rest. It takes it that a template shows what it
 * is given. One that drops a part, as some do with roles that they do not know, has shorter prompts than this says, so that
 * one which is far too long but for that part is refused. What users wrote no template reads, and so none drops it by that.
 */
export function leastBytes(messages: readonly BackendMessage[], tools: readonly BackendTool[], most: number): number {
  let bytes = 0;
  // Calls and tools may be nested more deeply than a function can call itself.
  const left: unknown[] = [...tools];
  for (const { content, toolCalls = [] } of messages) {
    bytes += Buffer.byteLength(content) + 1;
    for (const call of toolCalls) left.push(call.name, argumentsOf(call));
    if (bytes > most) return bytes;
  }
  while (left.length > 0 && bytes <= most) {
    const value = left.pop();
    bytes += 1;
    if (typeof value === 'string') bytes += Buffer.byteLength(value);
    else if (typeof value === 'object' && value !== null) {
      for (const [name, item] of Object.entries(value)) {
        if (!Array.isArray(value)) bytes += Buffer.byteLength(name);
        left.push(item);
      }
    }
  }
  return bytes;
}
