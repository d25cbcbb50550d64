import type { Token } from 'node-llama-cpp';
import { loadModel } from '../../reference-server/backends/gguf-load.ts';
import { promptRenderer } from '../../reference-server/backends/gguf-prompt.ts';
import type { GgufOptions } from '../../reference-server/backends/gguf-protocol.ts';
import { sampling } from '../../reference-server/backends/gguf-sampling.ts';
import { promptOf, temperature, type Workload } from './workload.ts';

// node-llama-cpp as it is, in a process of its own: what the reference server is measured against. It tells how many
// tokens a workload made, and detokenizes none.

process.on('disconnect', () => process.exit());

const options: GgufOptions = JSON.parse(process.argv[2] ?? '{}');
const { llama, model, threads, llamaCpp } = await loadModel(options);
const sequences = options.sequences ?? 8;
const context = await model.createContext({
  sequences,
  ...(options.contextSize !== undefined && { contextSize: options.contextSize }),
  threads,
  flashAttention: llama.gpu !== false,
});
const lanes = Array.from({ length: sequences }, () => context.getSequence());
const render = promptRenderer(model.fileInfo.metadata.tokenizer.chat_template ?? '', {
  bos: model.tokens.bosString ?? '',
  eos: model.tokens.eosString ?? '',
});

function tokensOf(content: string): Token[] {
  const pieces = render([{ role: 'user', content }]);
  const parts = pieces.map((piece, place) => (place % 2 === 0 ? new llamaCpp.SpecialTokensText(piece) : piece));
  return llamaCpp.LlamaText(parts).tokenize(model.tokenizer);
}

async function generate({ streams, durationMs, maxTokens, seed }: Workload): Promise<number> {
  const deadline = performance.now() + durationMs;
  const generation = {
    messages: [],
    maxTokens,
    stop: [],
    ...{ temperature, topP: 1, frequencyPenalty: 0, presencePenalty: 0 },
    ...(seed !== undefined && { seed }),
  };
  let tokens = 0;
  const keepBusy = async (stream: number) => {
    const lane = lanes[stream];
    for (let turn = 0; lane && performance.now() < deadline; turn += 1) {
      await lane.clearHistory();
      let left = maxTokens;
      const drawn = lane.evaluate(tokensOf(promptOf(stream, turn)), {
        ...sampling(generation, []),
        yieldEogToken: true,
      });
      for await (const token of drawn) {
        if (performance.now() >= deadline) return;
        tokens += 1;
        left -= 1;
        if (left === 0 || model.isEogToken(token)) break;
      }
    }
  };
  await Promise.all(Array.from({ length: streams }, (_, stream) => keepBusy(stream)));
  return tokens;
}

process.on('message', async (workload: Workload) => process.send?.(await generate(workload)));
process.send?.({ threads, device: llama.gpu === false ? 'CPU' : (await llama.getGpuDeviceNames()).join(', ') });
