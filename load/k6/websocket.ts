import { trafficScript } from './traffic.ts';

/** Chats over a WebSocket each: TTFT, ICL and TPOT from the times at which k6 read the messages from the socket. */
export const { options, setup, request, handleSummary } = trafficScript('tokens-per-second', 'websocket');
