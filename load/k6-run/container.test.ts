import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { problemsOf } from '../../specs/validate.ts';
import type { LoadResult } from '../../specs/wire.ts';
import { startTarget } from '../engine/test-rig.ts';
import { trafficOf } from '../k6/stand-in/test-rig.ts';
import { openContainerEngine } from './container-rig.ts';
import { interruptingTarget, key, load } from './test-rig.ts';

vi.setConfig({ testTimeout: 60_000 });

/** Or why there is none. */
const engine = await openContainerEngine();
const isThere = typeof engine === 'object';
const { env, image, containers, close } = isThere
  ? engine
  : { env: {}, image: '', containers: async () => [], close: async () => {} };

afterAll(close);

/** Runs the command with the k6 of the image. */
const loadThere = (options: readonly string[], run: { readonly interruption?: AbortSignal } = {}) =>
  load([...options, '--k6-image', image, '--format', 'json'], { path: process.env.PATH ?? '', env, ...run });

function resultOf(text: string): LoadResult {
  const result = JSON.parse(text);
  expect(problemsOf('load-result', result)).toEqual([]);
  return result;
}

describe.skipIf(!isThere)(`k6 in a container${isThere ? '' : `, skipped as ${engine}`}`, () => {
  test('it reaches a target of this machine, and its result is the report', async () => {
    const { url } = await startTarget();
    const { code, stdout, stderr } = await loadThere(['smoke', '--url', url, '--seed', '7', '--requests', '4']);
    const { target, seed, requests, outcome } = resultOf(stdout);
    expect([code, outcome, seed, target.url]).toEqual([0, 'passed', 7, url]);
    expect(requests).toMatchObject({ sent: 4, succeeded: 4 });
    expect(`${stdout}${stderr}`).not.toContain(key);
    expect(await containers()).toEqual([]);
  });

  test('a threshold that k6 finds crossed ends with 99', async () => {
    const { url } = await startTarget();
    const { code, stdout } = await loadThere(['smoke', '--url', url, '--threshold', 'requests_succeeded>=1000']);
    expect([code, resultOf(stdout).outcome]).toEqual([99, 'crossed']);
  });

  test('an interruption ends k6 and its container, with what was measured', async () => {
    const { url, interruption } = await interruptingTarget();
    const options = ['smoke', '--url', url, '--transport', 'json', '--duration', '10m', '--concurrency', '2'];
    const { code, stdout } = await loadThere(options, { interruption });
    const { endedEarly, outcome, requests } = resultOf(stdout);
    expect([code, endedEarly, outcome]).toEqual([130, 'interrupted', 'incomplete']);
    expect(requests.succeeded).toBeGreaterThan(trafficOf().requests ?? 0);
    expect(await containers()).toEqual([]);
  });

  test('an interruption while the image is fetched ends at once, and nothing is run', async () => {
    // A registry that never answers.
    const held = new Set<Socket>();
    const registry = createServer((socket) => held.add(socket.on('error', () => {})));
    await once(registry.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      for (const socket of held) socket.destroy();
      registry.close();
    });
    const there = `127.0.0.1:${(registry.address() as AddressInfo).port}/k6:1.0`;
    const options = ['smoke', '--url', 'http://127.0.0.1:9/v1', '--k6-image', there];
    const words = `fetching the image ${there}`;
    const { code, stdout, stderr } = await load(options, { path: process.env.PATH ?? '', env, interruptedAt: words });
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toMatch(new RegExp(`^${words}\ninterrupted: nothing was measured\n$`, 'm'));
  });

  test('a target that does not answer is told, with where k6 ran', async () => {
    const { code, stdout, stderr } = await loadThere(['smoke', '--url', 'http://127.0.0.1:9/v1']);
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toMatch(/^error: k6, in a container of \S+ on \S+, ended with exit code 107: .*does not answer/m);
    expect(await containers()).toEqual([]);
  });

  test('an image that cannot be had is told in one line', async () => {
    const options = ['smoke', '--url', 'http://127.0.0.1:9/v1', '--k6-image', 'localhost/there-is-none:1.0'];
    const { code, stdout, stderr } = await load(options, { path: process.env.PATH ?? '', env });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: localhost\/there-is-none:1\.0 cannot be run: [^\n]+\n$/m);
  });
});
