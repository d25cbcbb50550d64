import { expect, test } from 'vitest';
import { parseKeys, readKeyFile } from './key-entries.ts';

const parse = (...entries: unknown[]) => parseKeys(JSON.stringify(entries), 'keys.json');

test('tiers have their limits, and an entry may change them', () => {
  const limits = { requestsPerMinute: 5, tokensPerDay: 6, concurrent: 7 };
  expect(
    parse(
      { key: 'sk-secret-1', tier: 'free' },
      { key: 'sk-secret-2', tier: 'pro', limits: { concurrent: 1 }, disabled: true },
      { key: 'sk-secret-3', tier: 'enterprise', limits },
    ),
  ).toEqual([
    { key: 'sk-secret-1', limits: { requestsPerMinute: 100, tokensPerDay: 100_000, concurrent: 5 }, disabled: false },
    {
      key: 'sk-secret-2',
      limits: { requestsPerMinute: 1000, tokensPerDay: 10_000_000, concurrent: 1 },
      disabled: true,
    },
    { key: 'sk-secret-3', limits, disabled: false },
  ]);
});

test.each<[what: string, text: string, message: string]>([
  ['no JSON', '[{"key": "sk-secret-1"', 'keys.json must hold a JSON array'],
  ['no list', '{"key": "sk-secret-1"}', 'keys.json must hold a JSON array'],
  ['an empty list', '[]', 'with at least one entry'],
  ['an entry that is a key', '["sk-secret-1"]', 'entry 1 of keys.json must be an object'],
  ['an unknown member', '[{"sk-secret-1": "free"}]', 'no other members than key, tier, disabled, limits, tokensUsed'],
  ['a key with a space', '[{"key": "sk-secret 1", "tier": "free"}]', 'key in entry 1 of keys.json must be a string'],
  ['no tier', '[{"key": "sk-secret-1"}]', 'tier in entry 1 of keys.json must be one of free, pro, enterprise'],
  ['a bad disabled', '[{"key": "sk-secret-1", "tier": "free", "disabled": "no"}]', 'disabled in entry 1 of keys.json'],
  ['an enterprise without limits', '[{"key": "sk-secret-1", "tier": "enterprise"}]', 'gives all three limits'],
  [
    'a bad limit',
    '[{"key": "sk-secret-1", "tier": "free", "limits": {"concurrent": 0}}]',
    'limits.concurrent in entry 1 of keys.json must be a whole number of at least 1',
  ],
  [
    'a key twice',
    '[{"key": "sk-secret-1", "tier": "free"}, {"key": "sk-secret-1", "tier": "pro"}]',
    'entry 2 of keys.json has the same key as an entry before it',
  ],
])('%s is told by its place, without the key', (_, text, message) => {
  let told = '';
  try {
    parseKeys(text, 'keys.json');
  } catch (error) {
    told = String(error);
  }
  expect(told).toContain(message);
  expect(told).not.toContain('secret');
});

test('a file that is not there is told', () => {
  expect(() => readKeyFile('/nowhere/keys.json')).toThrow('cannot read the keys: ENOENT');
});
