import { expect, test } from 'vitest';
import { BackendUnavailable } from './backends/backend.ts';
import { wordsOfFault } from './failure.ts';
import { StoreUnavailable } from './limits/store.ts';
import { Undelivered } from './webhooks/courier.ts';

test.each([BackendUnavailable, StoreUnavailable, Undelivered])('%o is told in its words alone', (Outage) => {
  expect(wordsOfFault(new Outage('it is down'))).toBe('it is down');
});

test('what nobody expected is told with its place', () => {
  expect(wordsOfFault(new TypeError('not a function'))).toMatch(/^TypeError: not a function\n +at /);
  expect(wordsOfFault('words')).toBe('words');
});
