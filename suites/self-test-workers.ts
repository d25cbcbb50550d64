import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { lanes, subjectsOf, type Verdict } from './self-test.ts';
import type { TrialReply, TrialRequest } from './self-test-worker.ts';

interface Sharing {
  /** Processes at most. */
  readonly workers: number;
  readonly name?: string | undefined;
  readonly python?: string | undefined;
  /** Ends the trials that are left and under way. */
  readonly signal: AbortSignal;
  /** @param total how many trials there are */
  readonly onTrial: (verdict: Verdict, total: number) => void;
}

/**
 * The self-test in several processes, each of which is given a subject whenever it is done with one.
 * @returns what came of the trials, all of them unless the signal ended it
 * @throws UnknownSubject and NeedsPython
 */
export async function shareSelfTest({ workers, signal, onTrial, ...selection }: Sharing): Promise<readonly Verdict[]> {
  const program = createRequire(import.meta.url).resolve('#self-test-worker');
  const subjects = subjectsOf(selection);
  const waiting = subjects.map(({ name }): TrialRequest => ({ name, python: selection.python }));
  const verdicts: Verdict[] = [];
  const count = Math.min(workers, Math.ceil(subjects.length / lanes));
  // Trials make much that is soon garbage, which is cheaper to collect in larger pieces.
  const execArgv = ['--max-semi-space-size=32'];
  const processes = Array.from({ length: count }, () => fork(program, [], { execArgv }));
  const kill = () => {
    for (const worker of processes) worker.kill('SIGKILL');
  };
  process.once('exit', kill);
  signal.addEventListener('abort', kill);
  try {
    await Promise.all(
      processes.map(
        (worker) =>
          new Promise<void>((resolve, reject) => {
            let underWay = 0;
            const give = () => {
              const request = signal.aborted ? undefined : waiting.shift();
              if (request) {
                underWay += 1;
                worker.send(request);
              } else if (underWay === 0) resolve();
            };
            worker.on('message', (reply: TrialReply) => {
              underWay -= 1;
              if ('problem' in reply) return reject(new Error(`a trial failed: ${reply.problem}`));
              verdicts.push(reply.verdict);
              onTrial(reply.verdict, subjects.length);
              give();
            });
            worker.once('error', reject);
            worker.once('exit', (code, name) => {
              if (signal.aborted) resolve();
              else reject(new Error(`a process of the self-test ended (${name ?? `exit code ${code}`})`));
            });
            for (let lane = 0; lane < lanes; lane += 1) give();
          }),
      ),
    );
    return verdicts;
  } finally {
    process.off('exit', kill);
    signal.removeEventListener('abort', kill);
    kill();
  }
}
