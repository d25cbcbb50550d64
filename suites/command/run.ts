import { once } from 'node:events';
import type { RunOptions } from '../../specs/evidence.ts';
import { levelAndId } from '../explain.ts';
import { runLive } from '../live-run.ts';
import { type Plan, plan } from '../run.ts';
import { selectRequirements } from '../select.ts';
import { tool } from '../tool.ts';
import { openEvidenceFile } from '../transport/evidence-file.ts';
import { demandsOf } from '../transport/fault-header.ts';
import { shortestSecret } from '../transport/mask.ts';
import { configurationFor } from '../webhooks/events.ts';
import { checkOut, deliver } from './deliver.ts';
import { exitCodes } from './exit-codes.ts';
import { tellFault } from './fault.ts';
import type { Host } from './host.ts';
import type { RunChoices } from './options.ts';
import { narrate } from './progress.ts';
import { openListener, openSubject, type Subject } from './subject.ts';

/**
 * The `run` command: judges the target that the options name, or a reference server started for it.
 * @returns the exit code
 * @throws UsageError, UnmatchedPattern, BadSettings and TargetProblem
 */
export async function runTarget(choices: RunChoices, host: Host): Promise<number> {
  const selected = selectRequirements(choices.profile, choices.only);
  const planned = plan(choices);
  if (choices.list || choices.plan) {
    host.stdout.write(choices.list ? selected.map((id) => `${levelAndId(id)}\n`).join('') : planText(planned));
    return 0;
  }
  if (choices.out !== undefined) await checkOut(choices.out);
  const narrator = narrate(host, 'probes', choices.quiet);
  const { requests, tokens } = planned.cost;
  narrator.say(`${tool}: ${selected.length} requirements, at most ${requests} requests, ${tokens} tokens`);

  let evidenceLost: string | undefined;
  const opened: { close(): void | Promise<void> }[] = [];
  const judge = async () => {
    const listener = await openListener(choices);
    if (listener) opened.push(listener);
    const subject = await openSubject(choices, host, narrator.say, listener?.url);
    opened.push(subject);
    const { key, disabledKey, exhaustedKey, faultHeader, headers, ca } = subject;
    const options = { ...optionsOf(choices, subject), ...(listener && { webhookUrl: listener.url }) };
    if (listener && choices.url !== undefined)
      narrator.say(`listening for webhooks: ${configurationFor(listener.url)}`);
    const startedAt = new Date().toISOString();
    const evidence =
      choices.evidence === undefined
        ? undefined
        : openEvidenceFile(choices.evidence, { tool, startedAt, options }, (problem) => {
            evidenceLost = problem;
          });
    if (evidence) opened.push(evidence);
    if (key !== undefined && key.length < shortestSecret) {
      narrator.say(`a key of under ${shortestSecret} characters is masked only where it stands behind Bearer or Basic`);
    }
    narrator.say(`judging ${subject.url}`);
    return runLive({
      options,
      key,
      disabledKey,
      exhaustedKey,
      faultHeader,
      listener,
      headers,
      ca,
      insecure: choices.insecure,
      timeoutMs: choices.timeout * 1000,
      concurrency: choices.concurrency,
      python: choices.python,
      startedAt,
      // A wait is worth a word even to who wants quiet.
      notify: choices.quiet ? (line) => host.stderr.write(`${line}\n`) : narrator.say,
      onProgress: ({ probe, ...progress }) => narrator.advance({ ...progress, last: probe }),
      onFault: (error) => tellFault(error, host),
      ...(evidence && { record: evidence.write }),
    });
  };
  try {
    const report = await Promise.race([judge(), once(host.signal, 'abort').then(() => undefined)]);
    narrator.end();
    if (report === undefined) {
      const kept =
        choices.evidence === undefined
          ? ''
          : `; judge what was recorded with: stack29-conformance judge ${choices.evidence}`;
      host.stderr.write(`interrupted: no verdict${kept}\n`);
      return exitCodes.interrupted;
    }
    const delivered = await deliver(report, choices, host);
    if (evidenceLost !== undefined) host.stderr.write(`error: ${evidenceLost}\n`);
    return delivered && evidenceLost === undefined ? exitCodes[report.outcome] : exitCodes.usage;
  } finally {
    narrator.end();
    for (const resource of opened.reverse()) await resource.close();
  }
}

function optionsOf(
  { profile, only, without, model, concurrent, maxRequests, maxTokens }: RunChoices,
  { url, disabledKey, exhaustedKey, tier, faultHeader, runsTools }: Subject,
): RunOptions {
  return {
    url,
    profile,
    only,
    ...(without.length > 0 && { without }),
    ...(model && { model }),
    disabledKey: disabledKey !== undefined,
    ...(exhaustedKey !== undefined && { exhaustedKey: true }),
    ...(faultHeader && { demands: demandsOf(faultHeader) }),
    ...(tier && { tier }),
    ...(concurrent !== undefined && { concurrent }),
    ...(runsTools && { runsTools }),
    ...(maxRequests !== undefined && { maxRequests }),
    ...(maxTokens !== undefined && { maxTokens }),
  };
}

function planText({ probes, cost }: Plan): string {
  const rows = probes.map(({ name, cost: { requests, tokens, seconds = 0 }, ids }) =>
    [
      String(requests).padStart(8),
      String(tokens).padStart(6),
      (seconds > 0 ? String(seconds) : '').padStart(7),
      String(ids.length).padStart(7),
      name,
    ].join('  '),
  );
  const waits = cost.seconds ? `, ${cost.seconds} s of waits,` : ',';
  return [
    'requests  tokens  seconds  decides  probe',
    ...rows,
    `at most ${cost.requests} requests and ${cost.tokens} tokens${waits} the first contact included; nothing was sent`,
    '',
  ].join('\n');
}
