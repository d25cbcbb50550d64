import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EvidenceLine } from '../specs/evidence.ts';
import type { Client } from './probe.ts';
import { ask } from './probes/prompts.ts';
import { type Reply, readReply } from './reply.ts';
import { refusedForNow } from './socket.ts';
import { NotSent, type Wire, type WireRequest } from './transport/wire.ts';
import { type Inbox, noInbox } from './webhooks/inbox.ts';

/** Takes in all that a run sees, in the order in which it is seen. */
export interface Recorder {
  exchange(reply: Reply): void;
  line(line: EvidenceLine): void;
}

export interface ProbeClient extends Client {
  /** Resolves when nothing is under way, also what a probe that gave up had begun. */
  settled(): Promise<void>;
}

/** Refusals that say nothing of the request: over the rate limit, and down for a while. */
const mayPass: ReadonlySet<number> = new Set([429, 503]);

/**
 * The verbs of one probe over a wire. Every reply, and every request that was held back, is recorded. A request that
 * was refused for a reason of the moment is sent once more, when the governor lets it through: each has an even step,
 * and its second try the odd one after.
 */
export function openClient(
  probe: string,
  model: string,
  wire: Wire,
  recorder: Recorder,
  inbox: Inbox = noInbox,
): ProbeClient {
  let steps = 0;
  const underWay = new Set<Promise<Reply>>();

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

  const client: ProbeClient = {
    chat(members = {}, options) {
      const body = { model, messages: ask('Say hello.'), max_tokens: 8, ...members };
      return client.send('POST', '/chat/completions', JSON.stringify(body), options);
    },
    send(
      method,
      path,
      body,
      { credential = 'key', headers = {}, demand, unpaced = false, atOnce = false, notBefore, dialog } = {},
    ) {
      const type = body === undefined ? {} : { 'content-type': 'application/json' };
      const step = steps;
      steps += 2;
      const request: WireRequest = {
        probe,
        step,
        method,
        path,
        credential,
        ...(demand && { demand }),
        headers: { ...type, ...headers },
        ...(body === undefined ? {} : { body }),
        ...(dialog && { dialog }),
        unpaced,
        ...(atOnce && { atOnce }),
        ...(notBefore !== undefined && { notBefore }),
      };
      const reply = attempt(request).then((first) =>
        !unpaced && (mayPass.has(first.status) || refusedForNow(first.messages))
          ? attempt({ ...request, step: step + 1 })
          : first,
      );
      underWay.add(reply);
      const done = () => underWay.delete(reply);
      reply.then(done, done);
      return reply;
    },
    webhooks: inbox.open(probe, recorder.line),
    async settled() {
      while (underWay.size > 0) {
        await Promise.allSettled(underWay);
        // What was waiting for these replies may send again.
        await nextTurn();
      }
    },
  };
  return client;
}
