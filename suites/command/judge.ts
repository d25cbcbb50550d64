import { replayClients } from '../clients/client-runner.ts';
import { run } from '../run.ts';
import { tool } from '../tool.ts';
import { readEvidence } from '../transport/evidence-file.ts';
import { openReplayWire } from '../transport/replay.ts';
import { BadEvidence } from '../transport/wire.ts';
import { openReplayInbox } from '../webhooks/inbox.ts';
import { checkOut, type DeliveryOptions, deliver } from './deliver.ts';
import { exitCodes } from './exit-codes.ts';
import { tellFault } from './fault.ts';
import type { Host } from './host.ts';

/**
 * The `judge` command: judges what an evidence file holds, without a socket.
 * @returns the exit code
 * @throws BadEvidence, UsageError, and TargetProblem where the recorded run ended so
 */
export async function judgeEvidence(path: string, options: DeliveryOptions, host: Host): Promise<number> {
  if (options.out !== undefined) await checkOut(options.out);
  const { header, lines, cutShort } = readEvidence(path);
  if (cutShort) host.stderr.write(`warning: the last line of ${path} is cut short and left out\n`);
  let mismatch: BadEvidence | undefined;
  const report = await run({
    options: header.options,
    wire: openReplayWire(lines),
    clients: replayClients(lines.filter((line) => line.kind === 'client')),
    inbox: openReplayInbox(lines),
    tool,
    startedAt: header.startedAt,
    onFault: (error) => {
      if (error instanceof BadEvidence) mismatch ??= error;
      else tellFault(error, host);
    },
  });
  if (mismatch) throw mismatch;
  return (await deliver(report, options, host)) ? exitCodes[report.outcome] : exitCodes.usage;
}
