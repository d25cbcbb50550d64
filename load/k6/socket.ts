import { clearTimeout, setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';
import ws from 'k6/ws';
import type { Wording } from '../engine/job.ts';
import { type Ask, membersOf } from '../engine/wording.ts';
import { addContent, addUsage, type Ending, endingOfStatus, type Flight, parseObject } from './flight.ts';
import { requestHeaders, targetUrl } from './settings.ts';

/**
 * Asks over a WebSocket of its own. The time of each piece is that at which k6 read it from the socket; the request
 * counts as sent when its connection stands, by a clock of 1 ms.
 */
export function askOverSocket(wording: Wording, ask: Ask, flight: Flight, timeoutSeconds: number): Promise<Ending> {
  return new Promise((resolve) => {
    const params = { headers: requestHeaders(), tags: { name: 'chat', transport: 'websocket' } };
    const socket = new WebSocket(socketUrl(), null, params);
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
      socket.send(JSON.stringify({ type: 'start', ...membersOf(wording, ask) }));
    };
    socket.onmessage = (event) => {
      const message = parseObject(event?.data);
      switch (message?.type) {
        case undefined:
          return finish({ failed: 'message is not JSON with a type' });
        case 'content':
          if (typeof message.content === 'string' && message.content !== '') addContent(flight, event?.timestamp ?? 0);
          return;
        case 'tool_call':
          return addContent(flight, event?.timestamp ?? 0);
        case 'done':
          if (message.usage) addUsage(flight, message.usage);
          return finish('succeeded');
        case 'error':
          return finish(isLimit(message) ? 'limited' : { failed: 'error message' });
      }
    };
    socket.onerror = (event) => {
      if (state.isOpen) finish({ failed: 'connection lost' });
      else finish(/handshake/.test(event?.error ?? '') ? endingOfRefusal(params) : { failed: 'no connection' });
    };
    socket.onclose = () => finish({ failed: 'connection lost' });
  });
}

function socketUrl(): string {
  return `${targetUrl().replace(/^http/, 'ws')}/ws/chat`;
}

function isLimit({ code, type }: Readonly<Record<string, unknown>>): boolean {
  return code === 429 || code === 'rate_limit_exceeded' || type === 'rate_limit_exceeded';
}

/** A refusal does not show its status here; the older module does, so that it asks once more. */
function endingOfRefusal(params: {
  readonly headers: Record<string, string>;
  readonly tags: Record<string, string>;
}): Ending {
  const { status } = ws.connect(socketUrl(), params, (socket) => socket.close());
  return status >= 400 ? endingOfStatus(status) : { failed: 'handshake refused' };
}
