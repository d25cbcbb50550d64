import type { Credential, RecordedRequest } from '../specs/evidence.ts';

/** A shell reads these out of its environment, so that no key stands in a report. */
const keyArguments: Readonly<Partial<Record<Credential, string>>> = {
  key: '-H "Authorization: Bearer $STACK29_API_KEY"',
  disabled: '-H "Authorization: Bearer $STACK29_DISABLED_KEY"',
  exhausted: '-H "Authorization: Bearer $STACK29_EXHAUSTED_KEY"',
  basic: '-H "Authorization: Basic $STACK29_API_KEY"',
};

/** Set by curl itself, or without weight for the target. */
const leftOut = new Set(['host', 'connection', 'content-length', 'user-agent', 'accept-encoding']);

const longestBody = 4096;

/**
 * A command for a POSIX shell that sends a request again, with curl, and shows status, headers and body. The key is
 * read from STACK29_API_KEY, that of a disabled account from STACK29_DISABLED_KEY, a used-up one from STACK29_EXHAUSTED_KEY. A body over 4 kB is taken by jq from
 * an evidence file instead of being spelled out.
 */
export function reproduce(request: RecordedRequest, baseUrl: string): string {
  const body = request.body === undefined ? undefined : bodyArgument(request.body);
  const curl = [
    `curl -i${wantsStream(request) ? 'N' : ''}g --path-as-is ${method(request)}${quote(baseUrl + request.path)}`,
    ...headerArguments(request),
    ...(body ? [body.argument] : []),
  ].join(' \\\n  ');
  return body?.source === undefined ? curl : `${body.source} |\n${curl}`;
}

function method({ method, body }: RecordedRequest): string {
  if (method === 'HEAD') return '-I ';
  return method === (body === undefined ? 'GET' : 'POST') ? '' : `-X ${quote(method)} `;
}

function wantsStream({ body }: RecordedRequest): boolean {
  return body !== undefined && /"stream"\s*:\s*true/.test(body);
}

function headerArguments({ headers, credential, body }: RecordedRequest): string[] {
  const key = keyArguments[credential];
  const own = headers.filter(([name]) => {
    const lower = name.toLowerCase();
    return !leftOut.has(lower) && !(key !== undefined && lower === 'authorization');
  });
  const written = own.map(([name, value]) => `-H ${quote(value === '' ? `${name};` : `${name}: ${value}`)}`);
  if (key !== undefined) written.unshift(key);
  const hasType = own.some(([name]) => name.toLowerCase() === 'content-type');
  if (body !== undefined && !hasType) written.push("-H 'Content-Type:'");
  return written;
}

interface BodyArgument {
  /** What writes the body to the standard input of curl. */
  readonly source?: string;
  readonly argument: string;
}

function bodyArgument(body: string): BodyArgument {
  if (body.length > longestBody) {
    const characters = [...body].length;
    const filter = `first(inputs.request.body | strings | select(length == ${characters}))`;
    return {
      source: [
        `# sends ${characters} characters, which a run with --evidence run.evidence.jsonl records`,
        `jq -nj ${quote(filter)} run.evidence.jsonl`,
      ].join('\n'),
      argument: '--data-binary @-',
    };
  }
  if (unsafe.test(body)) return { source: `printf ${quote(printfFormat(body))}`, argument: '--data-binary @-' };
  return { argument: `--data-raw ${quote(body)}` };
}

/** Characters that do not survive the way through a terminal into a shell. */
const unsafe = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u;

function printfFormat(body: string): string {
  return body
    .replaceAll('\\', '\\\\')
    .replaceAll('%', '%%')
    .replace(new RegExp(unsafe, 'gu'), (character) =>
      [...Buffer.from(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
    );
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
