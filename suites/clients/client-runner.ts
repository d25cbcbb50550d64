import type { ClientName, ClientRequest, ClientRun } from '../../specs/evidence.ts';
import type { Recorder } from '../client.ts';
import type { Client, Target } from '../probe.ts';
import type { Reply } from '../reply.ts';
import { NotSent } from '../transport/wire.ts';

/** Sends what a client's program asks for to the target. @throws NotSent */
export type Forward = (request: ClientRequest, headers: Readonly<Record<string, string>>) => Promise<Reply>;

/** What a program is to do: some of the cases that it knows, with a model. */
export interface ClientTask {
  readonly client: ClientName;
  readonly model: string;
  readonly cases: readonly string[];
}

/** Runs the programs of real clients: live, or from evidence. */
export interface ClientRunner {
  run(probe: string, task: ClientTask, forward: Forward): Promise<ClientRun>;
}

/**
 * Gives back what programs told when the run was recorded, and asks again for what they asked for, so that it is seen
 * again.
 */
export function replayClients(runs: readonly ClientRun[]): ClientRunner {
  return {
    async run(probe, { client }, forward) {
      const run = runs.find((recorded) => recorded.probe === probe);
      if (!run) {
        const problem = 'the evidence holds no such run of a client: its run ended before, or was of another version';
        return { kind: 'client', probe, client, requests: [], facts: [], problem };
      }
      for (const request of run.requests) {
        await forward(request, {}).catch((error: unknown) => {
          // It was held back in the live run too, and the problem of the run tells of it.
          if (!(error instanceof NotSent)) throw error;
        });
      }
      return run;
    },
  };
}

/** The verb with which one probe runs a client's program. */
export function clientVerb(
  runner: ClientRunner,
  probe: string,
  model: string,
  client: Client,
  recorder: Recorder,
): Target['client'] {
  return async (name, cases) => {
    const replies = new Map<string, Reply>();
    const run = await runner.run(probe, { client: name, model, cases }, async (request, headers) => {
      const { method, path, body, credential } = request;
      // The key that is used up is refused however often, and for no reason that passes.
      const unpaced = credential === 'exhausted';
      const reply = await client.send(method, path, body, { credential, headers, unpaced });
      replies.set(request.case, reply);
      return reply;
    });
    recorder.line(run);
    return { ...run, replies };
  };
}
