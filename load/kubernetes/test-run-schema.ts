/**
 * What a TestRun of k6-operator may be, as far as our manifests go: facts of its published definition
 * (k6.io_testruns.yaml of release 1.6.0) in our own words. Its own schema prunes members that it does not know, so here
 * they are refused. Left out is what no manifest of ours has: initializer (by default it is what the runner is), starter,
 * ports, paused, scuttle, token, testRunId, and of the runner what places its pod.
 */
const text = { type: 'string', minLength: 1 } as const;

const closed = (properties: object, required: readonly string[]) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

const metadata = closed(
  {
    name: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', maxLength: 50 },
    namespace: text,
  },
  ['name'],
);

export const testRunSchema = closed(
  {
    apiVersion: { const: 'k6.io/v1alpha1' },
    kind: { const: 'TestRun' },
    metadata,
    spec: closed(
      {
        parallelism: { type: 'integer', minimum: 1, maximum: 2 ** 31 - 1 },
        separate: { type: 'boolean' },
        arguments: { type: 'string' },
        args: { type: 'array', items: { type: 'string' } },
        cleanup: { const: 'post' },
        quiet: { enum: ['true', 'false'] },
        // One of configMap, volumeClaim and localFile; ours is the first.
        script: closed({ configMap: closed({ name: text, file: text }, ['name']) }, ['configMap']),
        runner: closed(
          {
            image: text,
            env: { type: 'array', items: closed({ name: text, value: { type: 'string' } }, ['name', 'value']) },
            envFrom: { type: 'array', items: closed({ secretRef: closed({ name: text }, ['name']) }, ['secretRef']) },
          },
          [],
        ),
      },
      ['parallelism', 'script'],
    ),
  },
  ['apiVersion', 'kind', 'metadata', 'spec'],
);

export const configMapSchema = closed(
  {
    apiVersion: { const: 'v1' },
    kind: { const: 'ConfigMap' },
    metadata,
    // Keys become names of files.
    data: {
      type: 'object',
      propertyNames: { pattern: '^[-._a-zA-Z0-9]+$' },
      additionalProperties: { type: 'string' },
    },
  },
  ['apiVersion', 'kind', 'metadata', 'data'],
);
