import type { Failure } from '../../specs/evidence.ts';
import { failureOf, type Situation, timedOut } from './failure.ts';

/** Why a socket could not be opened. */
export function handshakeFailure(error: Error, situation: Situation): Failure {
  if (error.message === 'Opening handshake has timed out') return timedOut({ ...situation, phase: 'headers' });
  const code = codeOf(error);
  if (code.startsWith('HPE_')) return { kind: 'protocol', message: `not HTTP/1.1 (${code})` };
  return failureOf(error, situation) ?? { kind: 'protocol', message: 'the 101 does not open a WebSocket' };
}

/** The answer to the request for a tunnel is the proxy's, not the target's. */
export function proxyRefused(status: number, host: string): Failure {
  return { kind: 'refused', message: `the proxy answered ${status} instead of connecting to ${host}` };
}

/** What ended an open socket. @param messageLimit bytes of the largest message that is read */
export function dialogFailure(error: Error, messageLimit: number): Failure {
  const code = codeOf(error);
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
    return { kind: 'too-large', message: `a message passed ${messageLimit} bytes` };
  }
  if (code.startsWith('WS_ERR')) {
    return {
      kind: 'protocol',
      message: `not WebSocket: ${code.replace('WS_ERR_', '').replaceAll('_', ' ').toLowerCase()}`,
    };
  }
  return { kind: 'closed', message: 'the connection ended without the close of a WebSocket' };
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
