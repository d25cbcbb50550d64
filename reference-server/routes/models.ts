import { ApiError } from '../api-error.ts';
import type { ServedModel } from '../backends/backend.ts';
import type { Reply } from '../respond.ts';

export function listModels(served: ServedModel): Reply {
  const { id, ...rest } = describe(served);
  const entry = { id, ...rest, permission: [], root: id, parent: null };
  return { kind: 'models', body: { object: 'list', data: [entry] } };
}

/** @throws ApiError where no model has this id */
export function getModel(served: ServedModel, id: string): Reply {
  if (id !== served.id) throw unknownModel(id, served);
  return { kind: 'model', body: describe(served) };
}

export function unknownModel(id: string, served: ServedModel): ApiError {
  const asked = JSON.stringify(id.slice(0, 100));
  return new ApiError('model_not_found', `there is no model ${asked}; this server has ${served.id}`, {
    param: 'model',
  });
}

function describe({ id, created, contextWindow, vision }: ServedModel) {
  return {
    id,
    object: 'model',
    created,
    owned_by: 'stack29-conformance',
    context_window: contextWindow,
    capabilities: { streaming: true, tools: true, voice: false, vision },
  };
}
