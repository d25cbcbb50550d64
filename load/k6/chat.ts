import { trafficScript } from './traffic.ts';

/** Chats that are answered in one JSON body: E2E, rates and errors. A body has no first content, so no TTFT. */
export const { options, setup, request, handleSummary } = trafficScript('smoke', 'json');
