import type { Failure } from '../../specs/evidence.ts';

/** How far an exchange had come. */
export type Phase = 'connect' | 'headers' | 'body';

/** Where an exchange was when it failed. */
export interface Situation {
  readonly phase: Phase;
  /** Host and port of the target. */
  readonly host: string;
  readonly secure: boolean;
  /** The bound on each phase, in milliseconds. */
  readonly timeoutMs: number;
}

const refusals: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused by',
  ENOTFOUND: 'no such host:',
  EAI_AGAIN: 'the name server does not answer for',
  EHOSTUNREACH: 'no route to',
  ENETUNREACH: 'no network towards',
  ENETDOWN: 'no network towards',
  EADDRNOTAVAIL: 'not an address that can be reached:',
  EACCES: 'this machine does not allow a connection to',
  EPERM: 'this machine does not allow a connection to',
};

const badCertificates: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'signed by an unknown authority',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not valid yet',
  CERT_REVOKED: 'revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'made for another host',
};

const lateness: Readonly<Record<Phase, string>> = {
  connect: 'no connection',
  headers: 'no headers',
  body: 'no further piece of the body',
};

const ownFaults = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'EMFILE', 'ENFILE', 'ENOMEM']);

/** What is said of a phase that took too long. */
export function timedOut({ phase, timeoutMs }: Situation): Failure {
  return { kind: 'timeout', message: `${lateness[phase]} within ${seconds(timeoutMs)}` };
}

export function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

/** An error of the HTTP client as a failure of the target; `undefined` where the fault is on this side. */
export function failureOf(error: Error, situation: Situation): Failure | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (ownFaults.has(code)) return undefined;
  if (badCertificates[code]) {
    return {
      kind: 'tls',
      message: `certificate: ${badCertificates[code]} (--ca trusts its authority, --insecure trusts any)`,
    };
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code === 'EPROTO') {
    return { kind: 'tls', message: `no TLS connection: ${situation.host} does not speak TLS as expected (${code})` };
  }
  if (situation.phase === 'connect') return connectFailure(error, code, situation);
  return responseFailure(error, code, situation);
}

function connectFailure(error: Error, code: string, situation: Situation): Failure | undefined {
  const { host, secure } = situation;
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return timedOut(situation);
  if (refusals[code]) return { kind: 'refused', message: `${refusals[code]} ${proxyIn(error, situation) ?? host}` };
  const proxied = /^Proxy response \((\d+)\)/.exec(error.message);
  if (proxied) return { kind: 'refused', message: `the proxy answered ${proxied[1]} instead of connecting to ${host}` };
  if (code === '') return undefined;
  return secure
    ? { kind: 'tls', message: `no TLS connection to ${host} (${code})` }
    : { kind: 'refused', message: `no connection to ${host} (${code})` };
}

/** The proxy, where it is what could not be reached: the system's error names another place than the target. */
function proxyIn(error: Error, { host, secure }: Situation): string | undefined {
  const { hostname, address = hostname, port } = error as NodeJS.ErrnoException & Partial<Record<string, unknown>>;
  const target = new URL(`${secure ? 'https' : 'http'}://${host}`);
  const targetPort = Number(target.port || (secure ? 443 : 80));
  const elsewhere =
    typeof port === 'number' ? port !== targetPort : typeof hostname === 'string' && hostname !== target.hostname;
  if (!elsewhere) return undefined;
  return `the proxy ${address}${typeof port === 'number' ? `:${port}` : ''} on the way to ${host}`;
}

function responseFailure(error: Error, code: string, { phase }: Situation): Failure | undefined {
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return { kind: 'too-large', message: 'the headers passed 16 KiB' };
  const misread = error.name === 'HTTPParserError' ? /\((.*)\)$/.exec(error.message)?.[1] : undefined;
  // The body was cut where the end of the connection, and not its length, was to end it.
  if (misread === 'Invalid EOF state') return closed(phase);
  if (misread) return { kind: 'protocol', message: `not HTTP/1.1: ${misread}` };
  if (error.message === 'bad response' || error.message === 'bad upgrade') {
    return {
      kind: 'protocol',
      message: 'not the HTTP/1.1 response of this request: an unasked 100, 101 or further bytes',
    };
  }
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' && phase === 'headers') {
    return {
      kind: 'protocol',
      message: 'not HTTP/1.1: the headers contradict each other about the length of the body',
    };
  }
  return code === '' ? undefined : closed(phase);
}

function closed(phase: Phase): Failure {
  return {
    kind: 'closed',
    message:
      phase === 'body'
        ? 'the connection was closed in the middle of the body'
        : 'the connection was closed without a response',
  };
}
