import type { EvidenceLine } from '../specs/evidence.ts';
import type { Client } from './probe.ts';
import { ask } from './probes/prompts.ts';
import { type Reply, readReply } from './reply.ts';
import { NotSent, type Wire, type WireRequest } from './transport/wire.ts';

/** Takes in all that a run sees, in the order in which it is seen. */
export interface Recorder {
  exchange(reply: Reply): void;
  line(line: EvidenceLine): void;
}

/**
 * The verbs of one probe over a wire. Every reply, and every request that was held back, is recorded. A request that
 * the rate limit refused is sent once more, when the governor lets it through: each has an even step, and its second
 * try the odd one after.
 */
export function openClient(probe: string, model: string, wire: Wire, recorder: Recorder): Client {
  let steps = 0;

  async function attempt(request: WireRequest): Promise<Reply> {
    try {
      const exchange = await wire.send(request);
      const reply = readReply(exchange);
      recorder.line(exchange);
      recorder.exchange(reply);
      return reply;
    } catch (error) {
      const { step } = request;
      if (error instanceof NotSent) recorder.line({ kind: 'unsent', probe, step, reason: error.message });
      throw error;
    }
  }

  const client: Client = {
    chat(members = {}, options) {
      const body = { model, messages: ask('Say hello.'), max_tokens: 8, ...members };
      return client.send('POST', '/chat/completions', JSON.stringify(body), options);
    },
    async send(method, path, body, { credential = 'key', headers = {}, unpaced = false } = {}) {
      const type = body === undefined ? {} : { 'content-type': 'application/json' };
      const step = steps;
      steps += 2;
      const request: WireRequest = {
        probe,
        step,
        method,
        path,
        credential,
        headers: { ...type, ...headers },
        ...(body === undefined ? {} : { body }),
        unpaced,
      };
      const reply = await attempt(request);
      return reply.status === 429 && !unpaced ? attempt({ ...request, step: step + 1 }) : reply;
    },
  };
  return client;
}
