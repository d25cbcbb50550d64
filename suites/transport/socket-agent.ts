import { HttpsProxyAgent } from 'https-proxy-agent';
import { getProxyForUrl } from 'proxy-from-env';
import { loopback } from './dispatcher.ts';

/**
 * The way to a WebSocket through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name, in a tunnel; `undefined`
 * where there is none. A target on this machine is always reached directly.
 */
export function agentFor(url: URL): HttpsProxyAgent<string> | undefined {
  const proxy = loopback.test(url.hostname) ? '' : getProxyForUrl(url.href.replace(/^ws/, 'http'));
  return proxy === '' ? undefined : new HttpsProxyAgent(proxy);
}
