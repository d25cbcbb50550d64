import { type GgufModel, ggufModel } from './gguf-model.ts';
import { Outbox } from './gguf-outbox.ts';
import type { GgufOptions, GgufReply, GgufRequest } from './gguf-protocol.ts';

// The program of the model's process: native code that crashes takes this process down and never the server.

/** Ends what is done for a request, while something is. */
const underWay = new Map<number, AbortController>();
const outbox = new Outbox((events) => reply({ type: 'events', events }));

process.on('disconnect', leave);
// A terminal interrupts all processes of a command, and who stops a service may end all of its processes: the server gets
// these signals too, and may have answers to finish before it ends this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});

const options: GgufOptions = JSON.parse(process.argv[2] ?? '{}');
try {
  const model = await ggufModel(options);
  process.on('message', ([id, request]: [number, GgufRequest]) => void answer(model, id, request));
  const { served, settings, longestToken } = model;
  reply({ type: 'ready', model: served, settings, longestToken });
} catch (error) {
  reply({ type: 'failed', reason: words(error) });
}

async function answer(model: GgufModel, id: number, request: GgufRequest): Promise<void> {
  if (request.type === 'abort') return underWay.get(id)?.abort();
  const abort = new AbortController();
  underWay.set(id, abort);
  try {
    if (request.type === 'count') {
      const tokens = await model.countPrompt(request.messages, abort.signal, request.tools);
      outbox.put(id, { type: 'counted', tokens }, true);
    } else {
      let begun = false;
      for await (const event of model.generate(request.generation, abort.signal)) {
        outbox.put(id, event, !begun || event.type === 'end');
        begun = true;
      }
    }
  } catch (error) {
    outbox.put(id, { type: 'rejected', reason: words(error) }, true);
  }
  underWay.delete(id);
}

function reply(message: GgufReply): void {
  // That the server is gone is told by the end of the channel.
  process.send?.(message, undefined, undefined, () => {});
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function leave(): void {
  // biome-ignore lint/nursery/noProcessExit: native handles would keep this process alive without its server
  process.exit();
}
