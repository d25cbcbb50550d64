import { UsageError } from './usage-error.ts';

/** A base URL without slashes at its end. @param option names it in errors @throws UsageError */
export function baseUrlOf(text: string, option: string): string {
  if (text.trim() === '') throw new UsageError(`${option} is empty; give a URL such as http://localhost:3000/v1`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.username !== '' || url.password !== '')) {
    throw new UsageError(`${option} holds credentials; give the key by itself instead`);
  }
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text))
    throw new UsageError(`${option} ${text} lacks its scheme: try http://${text}`);
  if (url === undefined) throw new UsageError(`${option} ${text} is not a URL such as http://localhost:3000/v1`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new UsageError(`${option} ${text} is neither http:// nor https://`);
  }
  if (url.search !== '' || url.hash !== '')
    throw new UsageError(`${option} ${text} has a query or a fragment; leave it out`);
  const base = (url.origin + url.pathname).replace(/\/+$/, '');
  const endpoint = /\/(chat\/completions|ws\/chat)$/.exec(base)?.[0];
  if (endpoint) throw new UsageError(`${option} ${text} ends with an endpoint; try ${base.slice(0, -endpoint.length)}`);
  return base;
}
