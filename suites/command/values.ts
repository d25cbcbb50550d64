import { InvalidArgumentError } from 'commander';
import { closest } from 'fastest-levenshtein';
import { demands, type FaultHeader, readFaultHeader } from '../transport/fault-header.ts';
import { UsageError } from '../usage-error.ts';

interface Accepted {
  readonly integer: boolean;
  readonly most: number;
  readonly unit: string;
}

/** Reads a number above 0. @throws InvalidArgumentError that says what is accepted. */
export function numberOf({ integer, most, unit }: Accepted): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value > 0 && value <= most && (Number.isInteger(value) || !integer)) return value;
    throw new InvalidArgumentError(
      `It takes ${integer ? 'a whole number' : 'a number'} of ${unit}, above 0 and at most ${most}.`,
    );
  };
}

/** Reads one of some names. @throws InvalidArgumentError that lists them and says which is nearest. */
export function oneOf<Name extends string>(names: readonly Name[]): (text: string) => Name {
  return (text) => {
    const name = names.find((candidate) => candidate === text);
    if (name !== undefined) return name;
    throw new InvalidArgumentError(`It takes ${names.join(', ')}; the nearest is ${closest(text, [...names])}.`);
  };
}

/** Reads the header that makes a target fail. @throws InvalidArgumentError that says what is accepted. */
export function faultHeader(text: string): FaultHeader {
  const header = readFaultHeader(text);
  if (header) return header;
  throw new InvalidArgumentError(
    `It takes the name of a header, or 'name: failure=value, failure=value' with failures out of ${demands.join(', ')}.`,
  );
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Reads `host:port`, an IPv6 address in brackets. @throws InvalidArgumentError */
export function addressOf(text: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([\da-f:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new InvalidArgumentError('It takes host:port, such as 127.0.0.1:9000, with an IPv6 address in brackets.');
}

/** Gathers the values of an option that can be given several times. */
export function gather(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Headers from `name: value` lines. The value may be a secret, so an error gives the position only. @throws UsageError */
export function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line, index) => {
      const colon = line.indexOf(':');
      if (colon < 1) throw new UsageError(`--header number ${index + 1} does not have the form 'name: value'`);
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}
