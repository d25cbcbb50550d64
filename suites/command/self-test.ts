import { NeedsPython, needsClients, selfTest, trialLine, trialSubjects, UnknownSubject } from '../self-test.ts';
import { UsageError } from '../usage-error.ts';
import { exitCodes } from './exit-codes.ts';
import type { Host } from './host.ts';

/** The `self-test` command: a line a trial as it ends, then the sum. @returns the exit code @throws UsageError */
export async function proveSuite(
  name: string | undefined,
  python: string | undefined,
  { stdout }: Host,
): Promise<number> {
  try {
    const trials = await selfTest({ name, python, onTrial: (trial) => stdout.write(`${trialLine(trial)}\n`) });
    const left = trialSubjects.filter(needsClients).length;
    if (name === undefined && python === undefined)
      stdout.write(`${left} faults that only real clients see are left out: they need --python\n`);
    const bad = trials.filter(({ holds }) => !holds).length;
    stdout.write(`${trials.length - bad} of ${trials.length} trials came out as they must\n`);
    return bad === 0 ? exitCodes.conformant : exitCodes['suite-error'];
  } catch (error) {
    throw error instanceof UnknownSubject || error instanceof NeedsPython ? new UsageError(error.message) : error;
  }
}
