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

/** What becomes of a socket, and of the chats on it. */
interface Dialog {
  /** The socket stands. */
  opened(socket: ChatSocket): void;
  /** What the chat that is under way came to. */
  ended(ending: Ending, socket: ChatSocket): void;
  /** That of the chat under way. */
  flight(): Flight;
}

interface ChatSocket {
  start(ask: Pick<Ask, 'messages' | 'maxTokens'>): void;
  /** Closes it, now or when it stands. */
  leave(): void;
}

/** Opens a socket for chats, one after the other. The time of each piece is that at which k6 read it from the socket. */
export function dial(wording: Wording, { opened, ended, flight }: Dialog): ChatSocket {
  const held = keyIn(wording.keyPlace ?? 'header', settings.key);
  const url = `${targetUrl().replace(/^http/, 'ws')}/ws/chat${held.query}`;
  const params = {
    headers: { ...held.headers, ...settings.headers },
    tags: { name: 'chat', transport: 'websocket' },
  };
  const socket = new WebSocket(url, null, params);
  let isOpen = false;
  let isLeft = false;
  const chats: ChatSocket = {
    start: (ask) => socket.send(JSON.stringify({ type: 'start', ...held.start, ...membersOf(wording, ask) })),
    leave() {
      // k6 waits for good for a socket that is closed before it stands.
      if (isOpen && !isLeft) socket.close();
      isLeft = true;
    },
  };
  socket.onopen = () => {
    isOpen = true;
    if (isLeft) socket.close();
    else opened(chats);
  };
  socket.onmessage = (event) => {
    const ending = readMessage(String(event?.data), flight(), event?.timestamp ?? 0);
    if (ending !== undefined) ended(ending, chats);
  };
  socket.onerror = (event) => {
    if (isOpen) ended({ failed: 'connection lost' }, chats);
    else if (/handshake/.test(event?.error ?? '')) ended(endingOfRefusal(url, params), chats);
    else ended({ failed: 'no connection' }, chats);
  };
  socket.onclose = () => ended({ failed: 'connection lost' }, chats);
  return chats;
}

/** Asks over a socket of its own. The request counts as sent when its connection stands, by a clock of 1 ms. */
export function askOverSocket(
  wording: Wording,
  ask: Pick<Ask, 'messages' | 'maxTokens'>,
  flight: Flight,
  timeoutSeconds: number,
): Promise<Ending> {
  return new Promise((resolve) => {
    const finish = (ending: Ending) => {
      clearTimeout(timer);
      socket.leave();
      resolve(ending);
    };
    const timer = setTimeout(() => finish({ failed: 'timeout' }), timeoutSeconds * 1000);
    const socket = dial(wording, {
      flight: () => flight,
      opened({ start }) {
        flight.sent = Date.now();
        start(ask);
      },
      ended: finish,
    });
  });
}

/** A refusal does not show its status here; the older module does, so that it asks once more. */
function endingOfRefusal(url: string, params: object): Ending {
  const { status } = ws.connect(url, params, (socket) => socket.close());
  return status >= 400 ? endingOfStatus(status) : { failed: 'handshake refused' };
}
