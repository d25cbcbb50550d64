import type { RecordedLine } from '../../specs/evidence.ts';
import { BadEvidence, NotSent, type Wire, type WireRequest } from './wire.ts';

/**
 * Gives back what was recorded, by probe and step, so that no governor is needed: requests that the live run held
 * back are held back again, for the same reason, and so are those that a run that was cut short never came to. Rejects
 * with {@link BadEvidence} for a request that was recorded differently.
 */
export function openReplayWire(lines: readonly RecordedLine[]): Wire {
  const requests = lines.filter((line) => line.kind === 'exchange' || line.kind === 'unsent');
  const recorded = new Map(requests.map((line) => [placeOf(line), line]));
  return {
    async send(request) {
      const line = recorded.get(placeOf(request));
      if (!line)
        throw new NotSent('the evidence holds no such request: its run ended before, or was of another version');
      if (line.kind === 'unsent') throw new NotSent(line.reason);
      for (const member of ['method', 'path', 'credential', 'body'] as const) {
        if (line.request[member] !== request[member]) throw strange(request, `has another ${member} there`);
      }
      // Evidence has been through JSON, which leaves out what is undefined.
      if (JSON.stringify(line.request.dialog) !== JSON.stringify(request.dialog)) {
        throw strange(request, 'has another dialog there');
      }
      return line;
    },
    close: async () => {},
  };
}

function placeOf({ probe, step }: { readonly probe: string; readonly step: number }): string {
  return `${step} ${probe}`;
}

function strange({ probe, step, method, path }: WireRequest, what: string): BadEvidence {
  return new BadEvidence(
    `step ${step} of the probe "${probe}" (${method} ${path}): the evidence ${what}; it was made by another version or with other options`,
  );
}
