import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';

export interface ConnectionSettings {
  /** Certificates (PEM) to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** Accept any certificate. */
  readonly insecure?: boolean | undefined;
  readonly timeoutMs: number;
}

/** Names of this machine. */
export const loopback = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * A dispatcher for one exchange with `target`, through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name. A
 * target on this machine is always reached directly.
 * @throws TypeError when a proxy variable is not a URL
 */
export function openDispatcher(target: URL, { ca, insecure, timeoutMs }: ConnectionSettings): Dispatcher {
  const connect = { rejectUnauthorized: !insecure, timeout: timeoutMs, ...(ca !== undefined && { ca }) };
  // The exchange keeps time itself: the client's own timers are up to a second late.
  const options = { connect, headersTimeout: 0, bodyTimeout: 0 };
  if (loopback.test(target.hostname)) return new Agent(options);
  return new EnvHttpProxyAgent({
    ...options,
    requestTls: connect,
    proxyTls: { timeout: timeoutMs },
    proxyTunnel: false,
  });
}
