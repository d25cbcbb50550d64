import type { EvidenceLine } from '../specs/evidence.ts';
import type { Client } from './probe.ts';
import { ask } from './probes/prompts.ts';
import { type Reply, readReply } from './reply.ts';
import { NotSent, type Wire } from './transport/wire.ts';

/** Takes in all that a run sees, in the order in which it is seen. */
export interface Recorder {
  exchange(reply: Reply): void;
  line(line: EvidenceLine): void;
}

/** The verbs of one probe over a wire. Every reply, and every request that was held back, is recorded. */
export function openClient(probe: string, model: string, wire: Wire, recorder: Recorder): Client {
  let steps = 0;
  const client: Client = {
    chat(members = {}, options) {
      const body = { model, messages: ask('Say hello.'), max_tokens: 8, ...members };
      return client.send('POST', '/chat/completions', JSON.stringify(body), options);
    },
    async send(method, path, body, options = {}) {
      const step = steps++;
      const headers = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers };
      try {
        const exchange = await wire.send({
          probe,
          step,
          method,
          path,
          credential: options.credential ?? 'key',
          headers,
          ...(body === undefined ? {} : { body }),
          ...(options.unpaced === undefined ? {} : { unpaced: options.unpaced }),
        });
        const reply = readReply(exchange);
        recorder.line(exchange);
        recorder.exchange(reply);
        return reply;
      } catch (error) {
        if (error instanceof NotSent) recorder.line({ kind: 'unsent', probe, step, reason: error.message });
        throw error;
      }
    },
  };
  return client;
}
