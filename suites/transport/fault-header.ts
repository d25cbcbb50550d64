import type { Demand } from '../../specs/evidence.ts';

/** The header that makes a target fail, with the value that stands for each failure. */
export interface FaultHeader {
  readonly name: string;
  readonly values: Readonly<Partial<Record<Demand, string>>>;
}

export const demands: readonly Demand[] = ['500', '503', '422', 'cut-stream'];

/** The failures that a header can ask for. */
export function demandsOf(header: FaultHeader | undefined): readonly Demand[] {
  return demands.filter((demand) => header && demand in header.values);
}

/**
 * Reads `name`, whose values are the failures themselves, or `name: failure=value, …` for a target with words of its
 * own, which can then show the listed failures alone.
 * @returns `undefined` for any other form
 */
export function readFaultHeader(text: string): FaultHeader | undefined {
  const [, name, list] = /^([\w-]+)\s*(?::(.*))?$/.exec(text.trim()) ?? [];
  if (name === undefined) return undefined;
  if (list === undefined) return { name, values: Object.fromEntries(demands.map((demand) => [demand, demand])) };
  const pairs = list.split(',').map((pair) => pair.split('=').map((part) => part.trim()));
  const valid = pairs.every(([demand = '', value = '', ...rest]) => {
    return demands.some((known) => known === demand) && value !== '' && rest.length === 0;
  });
  return valid ? { name, values: Object.fromEntries(pairs) } : undefined;
}
