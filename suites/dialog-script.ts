import type { Credential, DialogStep, RecordedRequest, RunOptions } from '../specs/evidence.ts';
import { keyWord, unknownKey } from './transport/credentials.ts';

/** Seconds that the script leaves for npx to fetch the client, and for the socket to be opened. */
const opening = 5;
/** Seconds that it leaves the target to answer. */
const patience = 5;

/**
 * Two ways to say a dialog again in a POSIX shell: the suite itself, and a public WebSocket client, wscat, to which the
 * messages are fed with pauses in place of the waits. The key is read from STACK29_API_KEY, or the variable of
 * another account's.
 */
export function reproduceDialog(
  id: string,
  { path, credential, dialog = [] }: RecordedRequest,
  options: RunOptions,
): string {
  const { url, profile } = options;
  const model = options.model === undefined ? '' : ` --model ${quote(options.model)}`;
  const inHeader = !JSON.stringify([path, dialog]).includes(keyWord);
  const header = inHeader ? headerFor(credential) : '';
  const address = fill(`${url.replace(/^http/, 'ws')}${path}`, credential);
  return [
    `npx stack29-conformance --url ${quote(url)}${model} --profile ${profile} --only ${id}`,
    '# or, with another client:',
    '(',
    // What wscat is told before its socket is open is lost.
    `  sleep ${opening}`,
    ...dialog.flatMap((step) => line(step, credential)),
    `) | npx wscat --no-color${header} --connect ${address}`,
  ].join('\n');
}

function line(step: DialogStep, credential: RecordedRequest['credential']): string[] {
  if ('await' in step) return [`  sleep ${step.withinMs === undefined ? patience : Math.ceil(step.withinMs / 1000)}`];
  if ('send' in step) return [`  printf '%s\\n' ${fill(step.send, credential)}`];
  return [`  # here the suite sends a binary message, which wscat cannot: ${step.sendBinary}`];
}

function headerFor(credential: RecordedRequest['credential']): string {
  if (credential === 'none') return '';
  return ` --header ${fill(`Authorization: Bearer ${keyWord}`, credential)}`;
}

/** Where a shell has the keys of other accounts. */
const variables: Readonly<Partial<Record<Credential, string>>> = {
  disabled: '$STACK29_DISABLED_KEY',
  exhausted: '$STACK29_EXHAUSTED_KEY',
};

/** Quoted for a shell, with the key's variable where the key stands. */
function fill(text: string, credential: RecordedRequest['credential']): string {
  if (credential === 'unknown') return quote(text.replaceAll(keyWord, unknownKey));
  const variable = variables[credential] ?? keyWord;
  return text.split(keyWord).map(quote).join(`"${variable}"`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
