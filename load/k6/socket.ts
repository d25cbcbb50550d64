import { clearTimeout, setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';
import ws from 'k6/ws';
import type { Flight } from '../engine/flight.ts';
import type { Wording } from '../engine/job.ts';
import { readMessage } from '../engine/reading.ts';
import { keyIn } from '../engine/socket-key.ts';
import { type Ask, membersOf } from '../engine/wording.ts';
import { type Ending, endingOfStatus } from './flight.ts';
import { settings, targetUrl } from './settings.ts';

/**
 * Asks over a WebSocket of its own. The time of each piece is that at which k6 read it from the socket; the request
 * counts as sent when its connection stands, by a clock of 1 ms.
 */
export function askOverSocket(wording: Wording, ask: Ask, flight: Flight, timeoutSeconds: number): Promise<Ending> {
  return new Promise((resolve) => {
    const held = keyIn(wording.keyPlace ?? 'header', settings.key);
    const url = `${targetUrl().replace(/^http/, 'ws')}/ws/chat${held.query}`;
    const params = {
      headers: { ...held.headers, ...settings.headers },
      tags: { name: 'chat', transport: 'websocket' },
    };
    const socket = new WebSocket(url, null, params);
    const state = { isOpen: false, isOver: false };
    const finish = (ending: Ending) => {
      if (state.isOver) return;
      state.isOver = true;
      clearTimeout(timer);
      // k6 waits for good for a socket that is closed before it stands.
      if (state.isOpen) socket.close();
      resolve(ending);
    };
    const timer = setTimeout(() => finish({ failed: 'timeout' }), timeoutSeconds * 1000);
    socket.onopen = () => {
      state.isOpen = true;
      if (state.isOver) return socket.close();
      flight.sent = Date.now();
      socket.send(JSON.stringify({ type: 'start', ...held.start, ...membersOf(wording, ask) }));
    };
    socket.onmessage = (event) => {
      const ending = readMessage(String(event?.data), flight, event?.timestamp ?? 0);
      if (ending !== undefined) finish(ending);
    };
    socket.onerror = (event) => {
      if (state.isOpen) finish({ failed: 'connection lost' });
      else finish(/handshake/.test(event?.error ?? '') ? endingOfRefusal(url, params) : { failed: 'no connection' });
    };
    socket.onclose = () => finish({ failed: 'connection lost' });
  });
}

/** A refusal does not show its status here; the older module does, so that it asks once more. */
function endingOfRefusal(url: string, params: object): Ending {
  const { status } = ws.connect(url, params, (socket) => socket.close());
  return status >= 400 ? endingOfStatus(status) : { failed: 'handshake refused' };
}
