import { openTrials, trialSubjects, type Verdict } from './self-test.ts';

/** To a process that tries subjects. */
export interface TrialRequest {
  readonly name: string;
  readonly python: string | undefined;
}

/** From a process that tries subjects. */
export type TrialReply = { readonly verdict: Verdict } | { readonly problem: string };

// The one that asks ends this process; a signal from the keyboard goes to both.
process.on('SIGINT', () => {});
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

let trials: ReturnType<typeof openTrials> | undefined;

process.on('message', async ({ name, python }: TrialRequest) => {
  process.send?.(
    await verdictOn(name, python).catch((error: unknown): TrialReply => ({ problem: `${name}: ${error}` })),
  );
});

async function verdictOn(name: string, python: string | undefined): Promise<TrialReply> {
  trials ??= openTrials(python);
  const attempt = await trials;
  const subject = trialSubjects.find((one) => one.name === name);
  if (!subject) throw new Error('there is no such subject');
  // The report is large, and who asks reads the verdict alone.
  const { report: _, ...verdict } = await attempt(subject);
  return { verdict };
}
