import { randomUUID } from 'node:crypto';
import type { ChatRequest } from '../../specs/wire.ts';
import type { ToolEvent } from './tool-event.ts';

const tool = 'execute_code';

/**
 * The events of a call that a chat forces, as if execute_code had run the code that its definition names first:
 * code that throws fails, any other gives its own text back. Nothing runs; it is script, like scripted text.
 */
export function scriptToolEvents({ tools = [], tool_choice: choice }: ChatRequest): readonly ToolEvent[] {
  if (typeof choice !== 'object' || choice.function.name !== tool) return [];
  const definition = tools.find(({ function: { name } }) => name === tool);
  if (definition === undefined) return [];
  const call = { tool_call_id: `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`, name: tool };
  const code = /"enum":\["((?:[^"\\]|\\.)*)"/.exec(
    JSON.stringify(definition.function.parameters?.properties ?? {}),
  )?.[1];
  const failed = code?.startsWith('throw ') ?? false;
  return [
    { type: 'tool_call', ...call },
    {
      type: 'tool_result',
      ...call,
      output: failed ? null : (code ?? ''),
      error: failed ? 'the code threw an error' : null,
      execution_time_ms: 0,
    },
  ];
}
