import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { key, plainChat } from '../test-rig.ts';

/** What a server sends, with the members that tests read. */
export interface Received {
  readonly type: string;
  readonly content?: string;
  readonly message?: string;
  readonly code?: string;
  readonly param?: string | null;
  readonly finish_reason?: string;
}

export const start = (members: object = {}) => ({ type: 'start', ...plainChat, ...members });

/** A client for one test. */
export async function openSocket(url: string, options: ClientOptions = {}, query = '') {
  const headers = { authorization: `Bearer ${key}` };
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/chat${query}`, { headers, ...options });
  onTestFinished(() => socket.terminate());
  const received: Received[] = [];
  const closed = once(socket, 'close').then(([code]: readonly number[]) => code);
  let wake = () => {};
  socket.on('message', (data) => {
    received.push(JSON.parse(String(data)));
    wake();
  });
  socket.on('error', () => {});
  await once(socket, 'open');
  return {
    socket,
    received,
    /** The status of the close. */
    closed,
    say: (message: unknown) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    /** Everything that was received up to the first message of this type, which is not counted again. */
    async until(type: string): Promise<readonly Received[]> {
      for (;;) {
        const index = received.findIndex((message) => message.type === type);
        if (index >= 0) return received.splice(0, index + 1);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
