import { appendFileSync, closeSync, openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { type EvidenceHeader, type EvidenceLine, evidenceFormat, type RecordedLine } from '../../specs/evidence.ts';
import { member } from '../member.ts';
import { reasonOf } from '../reason.ts';
import { evidenceSchema } from './evidence-schema.ts';
import { BadEvidence } from './wire.ts';

export interface EvidenceWriter {
  /** Each line is with the operating system when this returns, so that nothing is lost when the run dies. */
  write(line: EvidenceLine): void;
  close(): void;
}

/**
 * Makes the file, or empties it, and writes its header.
 * @param warn told once, in one line, when writing fails: a run and its verdicts go on without the file
 * @throws BadEvidence where the file cannot be made
 */
export function openEvidenceFile(
  path: string,
  header: Omit<EvidenceHeader, 'kind' | 'format'>,
  warn: (line: string) => void,
): EvidenceWriter {
  let file: number;
  try {
    file = openSync(path, 'w');
  } catch (error) {
    throw new BadEvidence(`evidence cannot be written to ${path}: ${reasonOf(error)}`);
  }
  let open = true;
  const close = () => {
    if (open) closeSync(file);
    open = false;
  };
  const write = (line: EvidenceLine) => {
    try {
      if (open) appendFileSync(file, `${JSON.stringify(line)}\n`);
    } catch (error) {
      close();
      warn(`the evidence in ${path} is not whole: ${reasonOf(error)}`);
    }
  };
  write({ kind: 'header', format: evidenceFormat, ...header });
  return { write, close };
}

export interface Evidence {
  readonly header: EvidenceHeader;
  readonly lines: readonly RecordedLine[];
  /** The run died while it wrote its last line, which is left out. */
  readonly cutShort: boolean;
}

/** @throws BadEvidence with the line that is wrong and what is wrong with it */
export function readEvidence(path: string): Evidence {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new BadEvidence(`evidence cannot be read from ${path}: ${reasonOf(error)}`);
  }
  const texts = text.split('\n');
  const cutShort = texts.pop() !== '';
  const lines = texts.map((line, index) => readLine(line, `${path}, line ${index + 1}`));
  const [header, ...rest] = lines;
  if (header?.kind !== 'header') {
    throw new BadEvidence(
      `${path} does not begin with the header of an evidence file; give a file that --evidence wrote`,
    );
  }
  const exchanges = rest.filter((line) => line.kind !== 'header');
  if (exchanges.length < rest.length) throw new BadEvidence(`${path} holds a second header: it is more than one run`);
  return { header, lines: exchanges, cutShort };
}

function readLine(text: string, place: string): EvidenceLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadEvidence(`${place} is not JSON; give a file that --evidence wrote`);
  }
  const format = member(value, 'format');
  if (member(value, 'kind') === 'header' && format !== evidenceFormat) {
    throw new BadEvidence(
      `${place}: the format is ${JSON.stringify(format)}, and this version reads ${evidenceFormat}`,
    );
  }
  validator ??= compile();
  if (validator(value)) return value;
  const [error] = validator.errors ?? [];
  throw new BadEvidence(
    `${place}: ${error?.instancePath || 'the line'} ${error?.message}; the file was changed or damaged`,
  );
}

let validator: ValidateFunction<EvidenceLine> | undefined;

/** Loading Ajv takes a while that a live run does not have to wait for. */
function compile(): ValidateFunction<EvidenceLine> {
  const require = createRequire(import.meta.url);
  const { Ajv2020 } = require('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
  return new Ajv2020({ discriminator: true }).compile<EvidenceLine>(evidenceSchema);
}
