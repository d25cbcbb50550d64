import { once } from 'node:events';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Backend } from './backends/backend.ts';
import { scriptedBackend } from './backends/scripted.ts';
import { keyOfTier } from './keys/key-entries.ts';
import { type ServerOptions, startServer } from './server.ts';

export const key = 'sk-test-free';
export const disabledKey = 'sk-test-disabled';

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read into bodies of every shape
  readonly json: any;
}

/** Starts a server for one test, by default on scripted text with a Free key and a disabled one. */
export async function startRig(options: Partial<ServerOptions> = {}) {
  const keys = [keyOfTier(key, 'free'), keyOfTier(disabledKey, 'free', true)];
  const server = await startServer({ backend: scriptedBackend(), keys, ...options });
  onTestFinished(() => server.close());
  const { url } = server;

  async function send(method: string, path: string, init: RequestInit = {}, auth = `Bearer ${key}`): Promise<Answered> {
    const headers = { ...(auth && { authorization: auth }), ...init.headers };
    const response = await fetch(`${url}${path}`, { ...init, method, headers });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') && text !== '';
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
  }

  const post = (body: string, auth?: string) =>
    send('POST', '/chat/completions', { body, headers: { 'content-type': 'application/json' } }, auth);

  return {
    ...server,
    send,
    post,
    chat: (members: object = {}, auth?: string) => post(JSON.stringify({ ...plainChat, ...members }), auth),
    /** Sends text as it is, and more once an answer begins; gives back what came until the connection ended. */
    async raw(text: string, more?: string): Promise<string> {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      let received = '';
      if (more !== undefined) socket.once('data', () => socket.write(more));
      socket.on('data', (data) => {
        received += String(data);
      });
      socket.write(text);
      await once(socket, 'close');
      return received;
    },
  };
}

/** A backend that says a word at once, and two more when all of its generations are let go. */
export function heldBackend() {
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const backend: Backend = {
    ...scriptedBackend(),
    async *generate(_, signal) {
      yield { type: 'text', text: 'one' };
      const left = new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve());
      });
      await Promise.race([held, left]);
      if (signal.aborted) return;
      yield { type: 'text', text: ' two' };
      yield { type: 'text', text: ' three' };
      yield { type: 'end', finishReason: 'stop', completionTokens: 3 };
    },
  };
  return { backend, letGo: () => letGo() };
}

/** Waits until something is so, however long that takes. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

export const plainChat = {
  model: 'stack29/scripted',
  messages: [{ role: 'user', content: 'Hello there' }],
  max_tokens: 6,
};
