import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shippedPath } from '../fixtures/model/shipped.ts';

const program = join(import.meta.dirname, '../dist/stack29-conformance.js');
const key = 'sk-a-secret-key';
const disabledKey = 'sk-another-secret-key';
const folder = mkdtempSync(join(tmpdir(), 'stack29-test-'));
const keysFile = join(folder, 'keys.json');
const servers: ChildProcess[] = [];
let url: string;

/** Starts the reference server as a user would, on text that needs no model. */
async function serve(...options: readonly string[]): Promise<string> {
  const server = fork(program, ['serve', '--port', '0', '--backend', 'scripted', '--keys', keysFile, ...options], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  servers.push(server);
  const [message] = await once(server, 'message');
  return message.url;
}

function start(...options: readonly string[]): ChildProcess {
  const { STACK29_API_KEY: _, STACK29_DISABLED_KEY: __, ...env } = process.env;
  return spawn(process.execPath, [program, ...options], { env: { ...env, STACK29_API_KEY: key }, stdio: 'pipe' });
}

async function finish(child: ChildProcess) {
  const [stdout = '', stderr = ''] = await Promise.all(
    [child.stdout, child.stderr].map((stream) => (stream ? text(stream) : '')),
  );
  if (child.exitCode === null) await once(child, 'exit');
  expect(stdout + stderr).not.toContain('secret-key');
  return { code: child.exitCode, stdout, stderr, lastLine: stdout.trimEnd().split('\n').at(-1) };
}

const command = (...options: readonly string[]) => finish(start(...options));

beforeAll(async () => {
  if (!existsSync(program)) throw new Error('these tests run the built command: npm run build');
  writeFileSync(
    keysFile,
    JSON.stringify([
      { key, tier: 'enterprise', limits: { requestsPerMinute: 5000, tokensPerDay: 10_000_000, concurrent: 20 } },
      { key: disabledKey, tier: 'free', disabled: true },
    ]),
  );
  url = await serve();
});

afterAll(() => {
  for (const server of servers) server.kill();
  rmSync(folder, { recursive: true });
});

describe('a usage error', () => {
  test.each([
    ['an unknown option', ['--foramt', 'json'], 'Did you mean --format?'],
    ['an unknown command', ['jugde'], 'there is no command jugde; the nearest is judge'],
    ['a command behind its options', ['--quiet', 'judge'], 'judge is a command: it stands before its options'],
    ['an option of another command', ['judge', '--tier', 'free', keysFile], "unknown option '--tier'\n(--help"],
    ['an unknown profile', ['--profile', 'standart'], 'the nearest is standard'],
    ['an unknown tier', ['--tier', 'fre'], 'the nearest is free'],
    ['a fault header of no form', ['--fault-header', 'x y'], 'It takes the name of a header'],
    ['an unknown GPU', ['--gpu', 'coda'], 'Allowed choices are auto, cuda, vulkan, metal, false.'],
    ['a model for a target of others', ['--url', 'http://127.0.0.1:9/v1', '--gguf', 'a.gguf'], 'cannot be used with'],
    ['a GPU for a target of others', ['--url', 'http://127.0.0.1:9/v1', '--gpu', 'cuda'], 'cannot be used with'],
    ['an unknown capability', ['--without', 'visoin'], 'the nearest is vision'],
    ['an unknown format', ['--format', 'xml'], 'It takes terminal, json, junit'],
    ['a selection of nothing', ['--only', 'chat.respones.id'], 'the nearest is chat.response.id'],
    ['a URL without its scheme', ['--url', 'localhost:3000/v1'], 'try http://localhost:3000/v1'],
    ['a number that is none', ['--timeout', 'soon'], 'It takes a number of seconds, above 0 and at most 3600'],
    ['a header without a colon', ['--url', 'http://127.0.0.1:9/v1', '--header', 'sk-secret-key'], 'number 1'],
    [
      'certificates that cannot be read',
      ['--url', 'http://127.0.0.1:9/v1', '--ca', '/nowhere/ca.pem'],
      '/nowhere/ca.pem',
    ],
    ['a listener without its port', ['--webhook-listen', 'localhost'], 'It takes host:port, such as 127.0.0.1:9000'],
    [
      'a listener on an address of others',
      ['--url', 'http://127.0.0.1:9/v1', '--webhook-listen', '192.0.2.1:9000'],
      '--webhook-listen 192.0.2.1:9000 cannot be listened on',
    ],
    ['a webhook that is no URL', ['serve', '--backend', 'scripted', '--webhook-url', 'nowhere'], 'webhook_url in'],
    ['a report to nowhere', ['--out', '/nowhere/report'], '--out /nowhere/report'],
    ['evidence to nowhere', ['--url', 'http://127.0.0.1:9/v1', '--evidence', '/nowhere/e'], '/nowhere/e'],
    ['evidence that is not there', ['judge', '/nowhere/e'], 'evidence cannot be read from /nowhere/e'],
    ['evidence that is none', ['judge', keysFile], keysFile],
    ['an unknown requirement', ['explain', 'chat.respones.id'], 'the nearest is chat.response.id'],
    ['an unknown fault', ['self-test', 'completion-without-idd'], 'the nearest is completion-without-id'],
  ])('is %s', async (_what, options, words) => {
    const { code, stdout, stderr } = await command(...options);
    expect(stderr).toContain(words);
    expect([code, stdout]).toEqual([2, '']);
  });

  test('is a URL that lacks its /v1', async () => {
    const { code, stderr } = await command('--url', url.replace('/v1', ''));
    expect([code, stderr]).toEqual([2, expect.stringContaining(`give ${url}`)]);
  });
});

describe('the exit code', () => {
  test('is 0 for a conformant target, and the last line says so', async () => {
    const { code, lastLine, stderr } = await command('--url', `${url}/`);
    expect([code, lastLine]).toEqual([
      0,
      expect.stringMatching(/^conformant to profile standard: 1 not applicable, \d+ passed$/),
    ]);
    expect(stderr).toMatch(/^stack29-conformance \d[^\n]*\njudging http/);
  });

  test('is 0 for the reference server that it starts itself', async () => {
    const { code, lastLine, stderr } = await command('--only', 'auth.*');
    expect(stderr).toContain('no --url: starting the reference server');
    expect([code, lastLine]).toEqual([0, 'conformant to the selected part of profile standard: 4 passed']);
  });

  test('is 0 for a GGUF model of the user, which is told by its name', async () => {
    const own = join(folder, 'own-model.gguf');
    cpSync(shippedPath, own);
    const { code, stderr } = await command('--gguf', own, '--gpu', 'false', '--only', 'auth.*');
    expect(stderr).toContain('ready: the GGUF model own-model.gguf with --gpu false\n');
    expect(code).toBe(0);
  });

  test.each([
    ['is not there', '/nowhere.gguf', 'the file cannot be opened (ENOENT)'],
    ['is no GGUF file', import.meta.filename, 'it is not a GGUF file'],
  ])('is 4 for a model that %s, with its reason in a line', async (_, file, words) => {
    const { code, stdout, stderr } = await command('--gguf', file, '--quiet');
    const line = `error: the reference server did not start: cannot load the model ${file}: ${words}\n`;
    expect([code, stdout, stderr]).toEqual([4, '', line]);
  });

  test('is 0 for the webhooks of the reference server that it starts itself', { timeout: 60_000 }, async () => {
    const { code, lastLine, stderr } = await command('--profile', 'webhooks', '--only', 'webhooks.payload.*');
    expect([code, lastLine, stderr]).toEqual([0, expect.stringContaining(': 5 passed'), expect.any(String)]);
  });

  test('is 3 for a target that does not deliver to where the run listens, and what to configure is said', async () => {
    const webhooks = ['--profile', 'webhooks', '--only', 'webhooks.generation.done', '--timeout', '1'];
    const { code, stdout, stderr } = await command('--url', url, ...webhooks, '--webhook-listen', '127.0.0.1:0');
    expect(stderr).toMatch(
      /listening for webhooks: \{"webhook_url":"http:\/\/127\.0\.0\.1:\d+\/stack29-webhook","events":\[/,
    );
    expect([code, stdout]).toEqual([3, expect.stringContaining('nothing was delivered: configure the target')]);
  });

  test('is 1 for a target that breaks a MUST, with what shows it and a command that shows it again', async () => {
    const faulty = await serve('--fault', 'completion-total-off-by-one');
    const { code, stdout, lastLine } = await command('--url', faulty, '--only', 'chat.response.*');
    expect(stdout).toContain('FAIL  chat.response.usage-sum  MUST\n');
    expect(stdout).toContain(`curl -ig --path-as-is '${faulty}/chat/completions'`);
    expect([code, lastLine]).toEqual([1, expect.stringMatching(/^NOT conformant to .*: 1 failed, \d+ passed$/)]);
  });

  test('is 3 for a run that its bounds cut short', async () => {
    const { code, lastLine } = await command('--url', url, '--max-requests', '10');
    expect([code, lastLine]).toEqual([3, expect.stringMatching(/^incomplete: no verdict on profile standard: /)]);
  });

  test('is 3 where the bounds do not allow the first contact', async () => {
    const { code, stderr } = await command('--url', url, '--max-requests', '1');
    expect([code, stderr]).toEqual([3, expect.stringContaining('--max-requests')]);
  });

  test('is 4 for a target that is not there', async () => {
    const { code, stdout, stderr } = await command('--url', 'http://127.0.0.1:9/v1');
    expect([code, stdout, stderr]).toEqual([4, '', expect.stringContaining('connection refused')]);
  });
});

test('a self-test without the interpreter that it needs says how to install it', async () => {
  const alone = join(folder, 'alone');
  const root = join(import.meta.dirname, '..');
  mkdirSync(join(alone, 'node_modules'), { recursive: true });
  cpSync(join(root, 'dist'), join(alone, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(alone, 'package.json'));
  for (const name of readdirSync(join(root, 'node_modules')).filter((other) => other !== 'quickjs-wasi'))
    symlinkSync(join(root, 'node_modules', name), join(alone, 'node_modules', name));
  const selfTest = [join(alone, 'dist/stack29-conformance.js'), 'self-test', 'done-twice'];
  const { code, stderr } = await finish(spawn(process.execPath, selfTest, { stdio: 'pipe' }));
  const words = /^error: quickjs-wasi is not installed: run npm install quickjs-wasi@\S+\n$/;
  expect([code, stderr]).toEqual([2, expect.stringMatching(words)]);
});

describe('an interrupted run', () => {
  test('ends at once with 130, and what it recorded can be judged', async () => {
    const evidence = join(folder, 'interrupted.evidence.jsonl');
    const listed = JSON.stringify({ object: 'list', data: [{ id: 'silent' }] });
    const silent = createServer(({ method }, response) => {
      if (method === 'GET') response.end(listed);
      else child.kill('SIGINT');
    });
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const { port } = silent.address() as AddressInfo;
    const child = start('--url', `http://127.0.0.1:${port}/v1`, '--evidence', evidence);
    const { code, stdout, stderr } = await finish(child);
    silent.close();
    silent.closeAllConnections();
    expect([code, stdout, stderr]).toEqual([130, '', expect.stringContaining(`interrupted: no verdict; judge`)]);
    expect(readFileSync(evidence, 'utf8').split('\n')).toHaveLength(3);
    expect((await command('judge', evidence)).code).toBe(3);
  });

  test('leaves neither a server nor its keys behind', async () => {
    const own = mkdtempSync(join(folder, 'tmp-'));
    const { STACK29_API_KEY: _, ...env } = process.env;
    const child = spawn(process.execPath, [program], { env: { ...env, TMPDIR: own }, stdio: 'pipe' });
    let told = '';
    for await (const words of child.stderr) {
      told += words;
      if (told.includes('judging')) break;
    }
    const port = /judging http:\/\/127\.0\.0\.1:(\d+)/.exec(told)?.[1];
    expect(port).toBeDefined();
    child.kill('SIGINT');
    await once(child, 'exit');
    expect(child.exitCode).toBe(130);
    expect(readdirSync(own)).toEqual([]);
    await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow('fetch failed');
  });
});

describe('the report', () => {
  const selected = () => ['--url', url, '--only', 'auth.*', '--only', 'models.*'];

  test('judged again from evidence is the same to the byte', async () => {
    const evidence = join(folder, 'run.evidence.jsonl');
    const live = await command('--url', url, '--format', 'json', '--evidence', evidence);
    const again = await command('judge', evidence, '--format', 'json');
    expect([live.code, again.code]).toEqual([0, 0]);
    expect(again.stdout).toBe(live.stdout);
    expect(readFileSync(evidence, 'utf8')).not.toContain('secret-key');
  });

  test('goes to a file whole, and people see the terminal form beside it', async () => {
    const out = join(folder, 'report.json');
    const { code, lastLine } = await command(...selected(), '--format', 'json', '--out', out);
    expect([code, lastLine]).toEqual([0, expect.stringContaining('conformant to')]);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ format: 'stack29-report/1', outcome: 'conformant' });
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('goes to standard output when its file cannot be written', async () => {
    const { code, stdout, stderr } = await command(...selected(), '--format', 'junit', '--out', '/dev/full');
    expect(stderr).toContain('--out /dev/full could not be written');
    expect([code, stdout]).toEqual([2, expect.stringMatching(/^<\?xml .*<\/testsuites>\n$/s)]);
  });

  test('is one line when it is to be quiet', async () => {
    const { stdout, stderr } = await command(...selected(), '--quiet');
    expect([stdout, stderr]).toEqual([expect.stringMatching(/^conformant to [^\n]*\n$/), '']);
  });

  test('may be left half read', async () => {
    const child = start('--url', url, '--format', 'json', '--quiet');
    child.stdout?.destroy();
    const [stderr] = await Promise.all([child.stderr ? text(child.stderr) : '', once(child, 'exit')]);
    expect([child.exitCode, stderr]).toEqual([0, '']);
  });
});

test('what a target is said to lack is not applicable, is not asked for, and is judged so again', async () => {
  const evidence = join(folder, 'without.evidence.jsonl');
  const lacking = ['--without', 'vision', '--without', 'tools'];
  const { code, stdout, lastLine } = await command('--url', url, ...lacking, '--evidence', evidence);
  expect(stdout).toMatch(/^without +vision tools$/m);
  expect(stdout).toContain('not-applicable: the target is said to lack vision (--without vision)');
  expect([code, lastLine]).toEqual([0, expect.stringMatching(/: \d+ not applicable, \d+ passed$/)]);
  expect(readFileSync(evidence, 'utf8')).not.toContain('image_url');
  const again = await command('judge', evidence, '--format', 'json');
  const report = JSON.parse(again.stdout);
  expect([again.code, report.without]).toEqual([0, ['vision', 'tools']]);
  expect(report.counts['not-applicable']).toBe(Number(/(\d+) not applicable/.exec(lastLine ?? '')?.[1]));
});

test('a run of nothing but what a target lacks says nothing of it', async () => {
  const { code, lastLine } = await command('--url', url, '--profile', 'vision', '--without', 'vision');
  expect([code, lastLine]).toEqual([3, expect.stringContaining('incomplete: no verdict on profile vision')]);
});

test('a plan and a list send nothing', async () => {
  const silent = createServer();
  let connections = 0;
  silent.on('connection', () => {
    connections += 1;
  });
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const { port } = silent.address() as AddressInfo;
  const target = ['--url', `http://127.0.0.1:${port}/v1`];
  const plan = await command(...target, '--plan');
  const list = await command(...target, '--list', '--only', 'auth.missing.*');
  silent.close();
  expect(plan).toMatchObject({ code: 0, stdout: expect.stringMatching(/at most \d+ requests and \d+ tokens/) });
  expect(list).toMatchObject({ code: 0, stdout: 'MUST    auth.missing.status\n' });
  expect(connections).toBe(0);
});

test('help shows the options of a run and every command', async () => {
  const { code, stdout } = await command('--help');
  for (const word of ['--url', '--gguf', '--gpu', '--only', 'judge', 'explain', 'self-test', 'serve'])
    expect(stdout).toContain(word);
  expect(code).toBe(0);
});
