import { schemaProblem } from '../../specs/json-schema.ts';
import type { ChatRequest } from '../../specs/wire.ts';
import { ApiError } from '../api-error.ts';
import type { BackendTool } from '../backends/backend.ts';
import { argumentsShape, UnsupportedSchema } from './shape.ts';

/** The functions that a request offers; none where it forbids calls: a model calls what it is told of. */
export function offeredTools({ tools = [], tool_choice: choice }: ChatRequest): readonly BackendTool[] {
  if (choice === 'none') return [];
  return tools.map(({ function: { name, description, parameters } }) => ({
    name,
    ...(description !== undefined && { description }),
    ...(parameters !== undefined && { parameters }),
  }));
}

/** The functions of which a request wants one to be called; none where the model is free. */
export function forcedTools(request: ChatRequest): readonly BackendTool[] {
  const { tool_choice: choice } = request;
  const offered = offeredTools(request);
  if (typeof choice === 'object') return offered.filter(({ name }) => name === choice.function.name);
  return choice === 'required' ? offered : [];
}

/** Why the tools of a valid request, or its choice among them, cannot be had here. */
export function refuseTools(request: ChatRequest): ApiError | undefined {
  const { tools = [], tool_choice: choice } = request;
  const forced = forcedTools(request);
  if (choice === 'required' && tools.length === 0) {
    return refusal('tool_choice', 'tool_choice is "required", and tools offers nothing to call');
  }
  if (typeof choice === 'object' && forced.length === 0) {
    const name = JSON.stringify(choice.function.name.slice(0, 100));
    return refusal('tool_choice', `tool_choice names ${name}, which is not in tools`);
  }
  for (const [index, { function: definition }] of tools.entries()) {
    const param = `tools[${index}].function.parameters`;
    const { name, parameters } = definition;
    if (parameters === undefined) continue;
    const problem = schemaProblem(parameters);
    if (problem !== undefined) return refusal(param, `${param} is not a JSON Schema: ${problem}`);
    if (!forced.some((tool) => tool.name === name)) continue;
    try {
      argumentsShape(parameters);
    } catch (error) {
      if (!(error instanceof UnsupportedSchema)) throw error;
      return refusal(param, `${param} cannot be forced by this server: ${error.message}; take tool_choice "auto"`);
    }
  }
  return undefined;
}

function refusal(param: string, message: string): ApiError {
  return new ApiError('invalid_request', message, { param });
}
