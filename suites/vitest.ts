import { beforeAll, describe, expect, test } from 'vitest';
import type { RunOptions, Tier } from '../specs/evidence.ts';
import type { ProfileName } from '../specs/profiles.ts';
import type { Report } from '../specs/report.ts';
import type { Capability } from '../specs/requirement.ts';
import { type RequirementId, requirements } from '../specs/requirements/index.ts';
import { baseUrlOf } from './base-url.ts';
import type { Address } from './command/values.ts';
import { runLive } from './live-run.ts';
import { printable } from './report/printable.ts';
import { describeResult } from './report/result.ts';
import { plan } from './run.ts';
import { selectRequirements } from './select.ts';
import { demandsOf, readFaultHeader } from './transport/fault-header.ts';
import { UsageError } from './usage-error.ts';
import { openWebhookListener } from './webhooks/listener.ts';

export interface ConformanceSettings {
  /** Base URL with its `/v1`; a function where it is known only once a hook has started the server. */
  readonly url: string | (() => string | Promise<string>);
  readonly apiKey?: string | undefined;
  /** The key of a disabled account. */
  readonly disabledKey?: string | undefined;
  /** The language in which the target runs calls of `execute_code` itself. */
  readonly runsTools?: string | undefined;
  /** A key whose tokens of the day are used up. */
  readonly exhaustedKey?: string | undefined;
  /** The customer tier of the key. */
  readonly tier?: Tier | undefined;
  /** Chats that the key may run at a time, where that is not what its tier says. */
  readonly concurrent?: number | undefined;
  /** The header that makes the target fail: a name, or `name: 500=word, cut-stream=word`. */
  readonly faultHeader?: string | undefined;
  /** An interpreter with openai and langchain-openai, for the profile `clients`. */
  readonly python?: string | undefined;
  /** The model to chat with; the first one listed by default. */
  readonly model?: string | undefined;
  /** `standard` by default. */
  readonly profile?: ProfileName | undefined;
  /** Ids of requirements, or patterns with `*`. */
  readonly only?: readonly string[] | undefined;
  /** What the target lacks; its requirements are skipped as not applicable. */
  readonly without?: readonly Capability[] | undefined;
  /** Where to take in webhooks, at the path /stack29-webhook; the caller configures the target to deliver there. */
  readonly webhookListen?: Address | undefined;
  /** For each phase of a request; 60,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** Requests at a time; 4 by default. */
  readonly concurrency?: number | undefined;
}

/**
 * Registers the suite in the test file that calls it: a `describe` a probe and a `test` a requirement that the probe
 * decides, then the requirements that every exchange is held to. A broken MUST fails. What was not judged is skipped
 * with the reason, and so is a broken SHOULD or MAY with what was found, since neither fails a target nor is passed.
 * @throws UnmatchedPattern for an `only` that matches nothing
 * @throws UsageError for a `faultHeader` that cannot be read
 */
export function conformance(settings: ConformanceSettings): void {
  const { profile = 'standard', only = [], without = [], timeoutMs = 60_000, concurrency = 4, model } = settings;
  const { apiKey, disabledKey, exhaustedKey, python, tier, concurrent } = settings;
  const faultHeader = settings.faultHeader === undefined ? undefined : readFaultHeader(settings.faultHeader);
  if (settings.faultHeader !== undefined && !faultHeader) {
    throw new UsageError(`faultHeader must be a name, or 'name: failure=value': it is "${settings.faultHeader}"`);
  }
  const { probes, cost } = plan({ profile, only, without });
  const selected = selectRequirements(profile, only);
  const byProbe = new Set(probes.flatMap(({ ids }) => ids));
  let report: Report;

  const register = (title: string, ids: readonly RequirementId[]) => {
    if (ids.length === 0) return;
    describe(title, () => {
      for (const id of ids) test(`${requirements[id].level} ${id}`, ({ skip }) => verify(report, id, skip));
    });
  };

  describe(`the Stack 2.9 API, profile ${profile}`, () => {
    beforeAll(async () => {
      const { webhookListen } = settings;
      const listener = webhookListen && (await openWebhookListener(webhookListen.host, webhookListen.port));
      const options: RunOptions = {
        url: baseUrlOf(typeof settings.url === 'string' ? settings.url : await settings.url(), 'url'),
        profile,
        only,
        without,
        ...(model !== undefined && { model }),
        disabledKey: disabledKey !== undefined,
        ...(listener && { webhookUrl: listener.url }),
        ...(settings.runsTools !== undefined && { runsTools: settings.runsTools }),
        ...(exhaustedKey !== undefined && { exhaustedKey: true }),
        ...(faultHeader && { demands: demandsOf(faultHeader) }),
        ...(tier && { tier }),
        ...(concurrent !== undefined && { concurrent }),
      };
      const startedAt = new Date().toISOString();
      const run = runLive({
        options,
        key: apiKey,
        disabledKey,
        exhaustedKey,
        faultHeader,
        python,
        timeoutMs,
        concurrency,
        startedAt,
        listener,
      });
      report = await run.finally(() => listener?.close());
    }, cost.requests * timeoutMs);

    for (const { name, ids } of probes)
      register(
        name,
        ids.filter((id) => selected.includes(id)),
      );
    register(
      'every exchange',
      selected.filter((id) => !byProbe.has(id)),
    );
  });
}

function verify({ results }: Report, id: RequirementId, skip: (note?: string) => never): void {
  const result = results.find((candidate) => candidate.id === id);
  if (result === undefined) throw new Error(`the report has no result for ${id}`);
  const { verdict, reason = '' } = result;
  const text = describeResult(result).join('\n');
  if (verdict === 'inconclusive' || verdict === 'not-applicable') skip(`${verdict}: ${printable(reason)}`);
  if (verdict === 'warn' || verdict === 'note') skip(`${verdict}:\n${text}`);
  expect(verdict, text).toBe('pass');
}
