import { trafficScript } from './traffic.ts';

/** Any mix of transports, for hours: it keeps no sample of each gap. */
export const { options, setup, request, handleSummary } = trafficScript('soak', undefined, { keepGaps: false });
