import { selfTest, trialLine, UnknownSubject } from '../self-test.ts';
import { UsageError } from '../usage-error.ts';
import { exitCodes } from './exit-codes.ts';
import type { Host } from './host.ts';

/** The `self-test` command: a line a trial as it ends, then the sum. @returns the exit code @throws UsageError */
export async function proveSuite(name: string | undefined, { stdout }: Host): Promise<number> {
  try {
    const trials = await selfTest(name, (trial) => stdout.write(`${trialLine(trial)}\n`));
    const bad = trials.filter(({ holds }) => !holds).length;
    stdout.write(`${trials.length - bad} of ${trials.length} trials came out as they must\n`);
    return bad === 0 ? exitCodes.conformant : exitCodes['suite-error'];
  } catch (error) {
    throw error instanceof UnknownSubject ? new UsageError(error.message) : error;
  }
}
