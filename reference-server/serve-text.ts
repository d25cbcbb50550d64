import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Backend } from './backends/backend.ts';
import type { GgufHost } from './backends/gguf.ts';
import { defaultSequences, gpuOf } from './backends/gguf-protocol.ts';
import { type Say, type ServeChoices, ServeError } from './serve-choices.ts';

const { resolve } = createRequire(import.meta.url);

interface Text {
  readonly kind: 'gguf' | 'scripted';
  readonly load: (host: Required<GgufHost>) => Promise<Backend>;
  /** Generations at the same time; absent where there is no bound. */
  readonly slots?: number;
}

/** What makes the text. @throws ServeError where it cannot be as asked */
export function textOf(choices: ServeChoices, say: Say): Text {
  const { backend = defaultBackend(say) } = choices;
  return backend === 'scripted' ? scriptedText(choices) : ggufText(choices);
}

function scriptedText(choices: ServeChoices): Text {
  const { contextSize, ttft, tokensPerSecond, model, gpu, vision, allowImageUrls, parallel, queueSize } = choices;
  if (model !== undefined || gpu !== undefined) throw new ServeError('--model and --gpu need --backend gguf');
  if (allowImageUrls && !vision) throw new ServeError(needsEyes);
  if (queueSize !== undefined && parallel === undefined) {
    throw new ServeError('--queue-size needs --parallel with scripted text, none of which waits for another otherwise');
  }
  const load = async () => {
    const { scriptedBackend } = await import('./backends/scripted.ts');
    return scriptedBackend({
      ...(ttft !== undefined && { ttftMs: ttft }),
      ...(tokensPerSecond !== undefined && { tokensPerSecond }),
      ...(contextSize !== undefined && { contextWindow: contextSize }),
      ...(vision !== undefined && { vision }),
    });
  };
  return { kind: 'scripted', load, ...(parallel !== undefined && { slots: parallel }) };
}

function ggufText(choices: ServeChoices): Text {
  const { backend, contextSize, ttft, tokensPerSecond, model, gpu, vision, allowImageUrls, parallel } = choices;
  if (ttft !== undefined || tokensPerSecond !== undefined) {
    throw new ServeError('--ttft and --tokens-per-second need --backend scripted');
  }
  if (vision !== undefined) throw new ServeError('--vision needs --backend scripted: no GGUF model here sees');
  if (allowImageUrls) throw new ServeError(needsEyes);
  const load = async (host: Required<GgufHost>) => {
    const [{ loadGgufBackend }, { GgufStartError }] = await Promise.all([
      import('./backends/gguf.ts'),
      import('./backends/gguf-client.ts'),
    ]);
    const options = {
      modelPath: model ?? shippedModel(),
      gpu: gpuOf(gpu ?? 'auto'),
      ...(contextSize !== undefined && { contextSize }),
      ...(parallel !== undefined && { sequences: parallel }),
    } as const;
    try {
      return await loadGgufBackend(options, host);
    } catch (error) {
      if (!(error instanceof GgufStartError)) throw error;
      // Who names a backend, a model, or what to compute on, wants that one.
      const anyWouldDo = backend === undefined && model === undefined && gpu === undefined;
      throw new ServeError(anyWouldDo ? `${error.message}; or take --backend scripted` : error.message);
    }
  };
  return { kind: 'gguf', load, slots: parallel ?? defaultSequences };
}

const needsEyes = '--allow-image-urls needs a model that sees: --backend scripted --vision';

function defaultBackend(say: Say): 'gguf' | 'scripted' {
  try {
    resolve('node-llama-cpp');
    return 'gguf';
  } catch {
    say('node-llama-cpp is not installed, so the text is scripted: npm install node-llama-cpp@3.21.1 brings models');
    return 'scripted';
  }
}

function shippedModel(): string {
  return join(dirname(resolve('stack29-conformance/package.json')), 'fixtures/model/stack29-tiny.gguf');
}
