import { ApiError } from '../api-error.ts';

const endpoints = [
  { path: /^\/v1\/chat\/completions$/, methods: 'POST', shown: 'POST /v1/chat/completions' },
  { path: /^\/v1\/models$/, methods: 'GET, HEAD', shown: 'GET /v1/models' },
  { path: /^\/v1\/models\//, methods: 'GET, HEAD', shown: 'GET /v1/models/{id}' },
  { path: /^\/v1\/ws\/chat$/, methods: 'GET', shown: 'GET /v1/ws/chat (WebSocket)' },
  { path: /^\/health$/, methods: 'GET, HEAD', shown: 'GET /health' },
];

/** The error for a request that no route takes: its path has other methods (405), or nothing is there (404). */
export function nothingAt(method: string, url: string): ApiError {
  const path = url.split('?', 1)[0] ?? '';
  const endpoint = endpoints.find((known) => known.path.test(path));
  if (endpoint) {
    return new ApiError('invalid_request', `${path} takes ${endpoint.methods}, not ${method}`, {
      status: 405,
      headers: { Allow: endpoint.methods },
    });
  }
  const known = endpoints.map(({ shown }) => shown).join(', ');
  return new ApiError('invalid_request', `there is nothing at ${path}; the endpoints are ${known}`, { status: 404 });
}
