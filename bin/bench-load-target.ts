import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the load bench measures against: as little server as can be, which knows when it truly sent what. */

const choice = (delta: object, finishReason: string | null) => ({ index: 0, delta, finish_reason: finishReason });
const event = (value: object) => `data: ${JSON.stringify({ id: 'chatcmpl-1', model: 'bench', ...value })}\n\n`;
const piece = event({ object: 'chat.completion.chunk', choices: [choice({ content: ' word' }, null)] });
const end = `${event({ object: 'chat.completion.chunk', choices: [choice({}, 'stop')] })}data: [DONE]\n\n`;
const completion = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'two words' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 8, completion_tokens: 2, total_tokens: 10 },
});
const piecesAtATime = 20;
const pieces = piece.repeat(piecesAtATime);

/** Of each paced request its body, and when it had come and when its first piece was written: milliseconds of the system. */
let sent: [body: string, taken: number, written: number][] = [];
let delay = watchDelay();
let usage = process.cpuUsage();

function watchDelay() {
  const histogram = monitorEventLoopDelay({ resolution: 10 });
  histogram.enable();
  return histogram;
}

/** The system's monotonic clock, which all processes share. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

/** As many pieces as fast as they are read. */
async function flood(response: ServerResponse, tokens: number): Promise<void> {
  for (let left = tokens; left > 0; left -= piecesAtATime) {
    if (!response.write(pieces)) await new Promise((resolve) => response.once('drain', resolve));
  }
  response.end(end);
}

/** A piece after 300 ms, and ten more in two seconds. */
async function pace(response: ServerResponse, body: string, taken: number): Promise<void> {
  await sleep(300);
  const written = now();
  response.write(piece);
  sent.push([body, taken, written]);
  for (let more = 0; more < 10; more += 1) {
    await sleep(200);
    response.write(piece);
  }
  response.end(end);
}

const server = createServer(async (request, response) => {
  const body = await text(request);
  const taken = now();
  if (request.url === '/sent') {
    delay.disable();
    const { user, system } = process.cpuUsage(usage);
    const loopDelayMs = Math.max(0, delay.percentile(99) / 1e6 - 10);
    response.end(JSON.stringify({ sent, loopDelayMs, cpuMs: (user + system) / 1000 }));
    sent = [];
    delay = watchDelay();
    usage = process.cpuUsage();
    return;
  }
  if (!body.includes('"stream":true')) {
    response.setHeader('content-type', 'application/json').end(completion);
    return;
  }
  response.setHeader('content-type', 'text/event-stream');
  const { model, max_tokens: tokens } = JSON.parse(body);
  if (model === 'flood') await flood(response, tokens);
  else await pace(response, body, taken);
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () =>
  process.send?.((server.address() as AddressInfo).port),
);
process.once('disconnect', () => process.exit());
