import { type GgufModel, ggufModel } from './gguf-model.ts';
import type { GgufEvent, GgufOptions, GgufReply, GgufRequest } from './gguf-protocol.ts';

// The program of the model's process: native code that crashes takes this process down and never the server.

/** The requests that are still wanted; an aborted generation notices at its next token. */
const wanted = new Set<number>();
let events: (readonly [id: number, event: GgufEvent])[] = [];

process.on('disconnect', leave);
// A terminal interrupts all processes of a command, and who stops a service may end all of its processes: the server gets
// these signals too, and may have answers to finish before it ends this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});

const options: GgufOptions = JSON.parse(process.argv[2] ?? '{}');
try {
  const model = await ggufModel(options, () => setImmediate(flush));
  process.on('message', ([id, request]: [number, GgufRequest]) => void answer(model, id, request));
  const { served, settings, longestToken } = model;
  reply({ type: 'ready', model: served, settings, longestToken });
} catch (error) {
  reply({ type: 'failed', reason: words(error) });
}

async function answer(model: GgufModel, id: number, request: GgufRequest): Promise<void> {
  if (request.type === 'abort') {
    wanted.delete(id);
    return;
  }
  wanted.add(id);
  try {
    if (request.type === 'count')
      report(id, { type: 'counted', tokens: model.countPrompt(request.messages, request.tools) });
    else for await (const event of model.generate(request.generation, () => !wanted.has(id))) report(id, event);
  } catch (error) {
    report(id, { type: 'rejected', reason: words(error) });
  }
  wanted.delete(id);
}

/**
 * One message carries what all requests got from a batch. It is sent while the next one is computed, or a little later
 * where none follows.
 */
function report(id: number, event: GgufEvent): void {
  if (events.length === 0) setTimeout(flush, 1);
  events.push([id, event]);
}

function flush(): void {
  if (events.length > 0) reply({ type: 'events', events });
  events = [];
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
