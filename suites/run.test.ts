import { describe, expect, test } from 'vitest';
import { capabilities, capabilitiesOf } from '../specs/capabilities.ts';
import { profiles } from '../specs/profiles.ts';
import { type RequirementId, requirementIds, requirements } from '../specs/requirements/index.ts';
import { probes } from './probes/index.ts';
import { plan } from './run.ts';
import { exchangeRules, wholeRunRules } from './universal/index.ts';

/** Every judgement there is, an id as often as it is judged. */
const judged: readonly string[] = [
  ...Object.keys(exchangeRules),
  ...Object.keys(wholeRunRules),
  ...probes.flatMap(({ ids }) => ids),
];

describe('the judgements', () => {
  test.each(requirementIds)('%s is judged in exactly one place, or says why it cannot be', (id: RequirementId) => {
    const times = judged.filter((one) => one === id).length;
    expect(times).toBe(requirements[id].unobservable === undefined ? 1 : 0);
  });

  test('no two probes have one name, by which evidence finds them', () => {
    const names = probes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('the plan', () => {
  test('of the standard profile fits one window of the Free tier', () => {
    const { cost } = plan({ profile: 'standard', only: [] });
    expect(cost.requests).toBeLessThanOrEqual(90);
    expect(cost.tokens).toBeLessThanOrEqual(20_000);
  });

  test('of the standard profile spends no limit and needs no second key', () => {
    const names = plan({ profile: 'standard', only: [] }).probes.map(({ name }) => name);
    expect(names).not.toContain('chats until the limit refuses one, and after its reset');
    expect(names).not.toContain('a chat with the key of a disabled account');
  });

  test('of one requirement holds the probe that shows it alone', () => {
    const { probes: chosen } = plan({ profile: 'standard', only: ['chat.stop.string'] });
    expect(chosen.map(({ name }) => name)).toEqual(['an answer cut at a stop sequence, alone and amid others']);
  });

  test('of a rule over all exchanges waits for no limit', () => {
    const { cost } = plan({ profile: 'full', only: ['http.body.json'] });
    expect(cost.seconds).toBe(0);
    expect(plan({ profile: 'full', only: ['limits.requests.paced'] }).cost.seconds).toBeGreaterThan(60);
  });

  test.each(capabilities)('of a target without %s sends nothing for it', (capability) => {
    const all = plan({ profile: 'full', only: [] }).probes;
    const rest = plan({ profile: 'full', only: [], without: [capability] }).probes;
    const left = all.filter((probe) => !rest.includes(probe));
    expect(left.length).toBeGreaterThan(0);
    expect(left.flatMap(({ ids }) => ids).filter((id) => !capabilitiesOf(id).includes(capability))).toEqual([]);
    const kept = rest.filter(({ ids }) => ids.every((id) => capabilitiesOf(id).includes(capability)));
    expect(kept).toEqual([]);
  });

  test('of a rule over all exchanges holds every probe of the profile', () => {
    const whole = plan({ profile: 'core', only: [] }).probes;
    expect(plan({ profile: 'core', only: ['http.body.json'] }).probes).toEqual(whole);
    expect(new Set(whole.flatMap(({ ids }) => ids)).size).toBeLessThanOrEqual(profiles.core.ids.length);
  });
});
