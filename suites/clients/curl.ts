import { execFile } from 'node:child_process';
import process from 'node:process';
import { toolMessages, writeFile } from './write-file.ts';

// A program of its own: runs curl as the document's examples do, one line a case.

const { STACK29_BASE = '', STACK29_MODEL: model = '', STACK29_CASES = '', OPENAI_API_KEY: key = '' } = process.env;
const user = 'stack29-conformance curl';
const hello = [{ role: 'user', content: 'Hello' }];

const cases: Readonly<Record<string, object>> = {
  chat: { messages: hello },
  stream: { messages: hello, stream: true },
  'system-prompt': {
    messages: [
      { role: 'system', content: 'You know Python well.' },
      { role: 'user', content: 'Write a decorator that counts calls.' },
    ],
  },
  tools: { messages: toolMessages, tools: [writeFile] },
};

for (const name of STACK29_CASES.split(',')) {
  const body = JSON.stringify({ model, max_tokens: 16, user, ...cases[name] });
  const headers = [`Authorization: Bearer ${key}`, 'Content-Type: application/json'].flatMap((line) => ['-H', line]);
  const url = `${STACK29_BASE}/${name}/v1/chat/completions`;
  await new Promise<void>((resolve) => {
    // Without the user's own settings, which could add anything.
    execFile('curl', ['-q', '-sS', '-X', 'POST', url, ...headers, '-d', body], (error, content) => {
      if (error?.code === 'ENOENT') {
        process.stderr.write('needs curl on the PATH\n');
        process.exitCode = 1;
        resolve();
        return;
      }
      const failed =
        error === null ? {} : { error: { class: 'curl', message: error.message.split('\n').at(-2) ?? '' } };
      process.stdout.write(`${JSON.stringify({ case: name, content, ...failed })}\n`);
      resolve();
    });
  });
}
