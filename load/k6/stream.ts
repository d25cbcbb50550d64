import { trafficScript } from './traffic.ts';

/**
 * Chats as event streams. k6 by itself gives a stream only once it is whole: it measures E2E, rates, output tokens and
 * errors, and no TTFT, ICL or TPOT (its `http_req_waiting` ends with the first byte of the headers, not with the first
 * content). Told by `STACK29_SSE=k6/x/sse` that it has the extension of that name, it measures them too, to 1 ms; the
 * extension has no time limit of its own, so that a stream that never ends counts as unfinished, not as failed.
 */
export const { options, setup, request, handleSummary } = trafficScript('tokens-per-second', 'sse');
