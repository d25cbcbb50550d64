import { connect } from 'node:net';
import { problemsOf } from '../../specs/validate.ts';
import type { Stimulus } from './requests.ts';

/** How long a connection may stay without a byte. A request that is not whole is waited for as long in vain. */
const silenceMs = 2_000;
const answerMs = 10_000;

/**
 * Sends a stimulus on a connection of its own and reads what comes.
 * @returns the status of the answer, or `none`
 * @throws Error that says what is wrong with the answer
 */
export async function provoke(port: number, stimulus: Stimulus): Promise<string> {
  const received = await send(port, stimulus);
  const head = received.slice(0, Math.max(0, received.indexOf('\r\n\r\n')));
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
  if (status === undefined) {
    if (stimulus.mayGoUnanswered && received === '') return 'none';
    throw new Error(`no answer, but ${JSON.stringify(received.slice(0, 200))}`);
  }
  if (Number(status) >= 500) throw new Error(`status ${status}: ${received.slice(0, 500)}`);
  if (Number(status) >= 400 && stimulus.method !== 'HEAD') checkEnvelope(received.slice(head.length + 4));
  return status;
}

function checkEnvelope(body: string): void {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new Error(`the error is not JSON: ${body.slice(0, 500)}`);
  }
  const [problem] = problemsOf('error', value);
  if (problem) throw new Error(`the error has ${problem.actual} at ${problem.pointer}, not ${problem.expected}`);
}

function send(port: number, { bytes, mayGoUnanswered }: Stimulus): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const pieces: Buffer[] = [];
    const limit = mayGoUnanswered ? silenceMs : answerMs;
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      // Only the first answer counts.
      resolve(
        Buffer.concat(pieces)
          .toString('latin1')
          .replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ''),
      );
    };
    const timer = setTimeout(() => {
      if (mayGoUnanswered) end();
      else {
        socket.destroy();
        reject(new Error(`no whole answer within ${answerMs} ms`));
      }
    }, limit);
    socket.on('data', (piece) => {
      timer.refresh();
      pieces.push(piece);
    });
    socket.on('close', end);
    // A server may close on what it does not want to read; what it said before has come.
    socket.on('error', () => {});
    socket.write(bytes);
  });
}
