import { availableParallelism } from 'node:os';
import { NeedsPython, needsClients, trialLine, trialSubjects, UnknownSubject } from '../self-test.ts';
import { shareSelfTest } from '../self-test-workers.ts';
import { UsageError } from '../usage-error.ts';
import { exitCodes } from './exit-codes.ts';
import type { Host } from './host.ts';
import { narrate } from './progress.ts';

interface SelfTestChoices {
  readonly python?: string | undefined;
  readonly workers?: number | undefined;
}

/** The `self-test` command: a line a trial as it ends, then the sum. @returns the exit code @throws UsageError */
export async function proveSuite(
  name: string | undefined,
  { python, workers = availableParallelism() }: SelfTestChoices,
  host: Host,
): Promise<number> {
  const { stdout, stderr, signal } = host;
  // Where nobody sees it rewritten, the lines of the trials tell enough.
  const narrator = narrate(host, 'trials', stderr.isTTY !== true);
  let done = 0;
  try {
    const verdicts = await shareSelfTest({
      name,
      python,
      workers,
      signal,
      onTrial(verdict, total) {
        done += 1;
        narrator.end();
        stdout.write(`${trialLine(verdict)}\n`);
        if (done < total) narrator.advance({ done, total, last: verdict.name });
      },
    });
    narrator.end();
    if (name === undefined && python === undefined) {
      const left = trialSubjects.filter(needsClients).length;
      stdout.write(`${left} faults that only real clients see are left out: they need --python\n`);
    }
    const bad = verdicts.filter(({ holds }) => !holds).length;
    const interrupted = signal.aborted ? ', before it was interrupted' : '';
    stdout.write(`${verdicts.length - bad} of ${verdicts.length} trials came out as they must${interrupted}\n`);
    if (bad > 0) return exitCodes['suite-error'];
    return signal.aborted ? exitCodes.incomplete : exitCodes.conformant;
  } catch (error) {
    throw error instanceof UnknownSubject || error instanceof NeedsPython ? new UsageError(error.message) : error;
  }
}
