import type { ServerResponse } from 'node:http';
import type { Behaviour } from '../behaviour.ts';
import { inHeaders, inTurn } from '../change.ts';
import { type Outgoing, sendOutgoing } from '../outgoing.ts';
import type { Faults } from './fault.ts';

const isModel = (url: string) => url.startsWith('/v1/models/');

/** Sends the single model, or the error where it is unknown, in another way. */
function singleModel(
  kind: 'model' | 'error',
  send: (response: ServerResponse, outgoing: Outgoing, text: string) => Promise<void>,
): Behaviour {
  return {
    send: (response, outgoing, answer, { url }) =>
      answer.kind === kind && isModel(url) && typeof outgoing.body === 'string'
        ? send(response, outgoing, outgoing.body)
        : sendOutgoing(response, outgoing),
  };
}

/** Another text as the body, of the right length. */
const replaceText = (replace: (text: string) => string | Buffer): Behaviour =>
  singleModel('model', (response, outgoing, text) => {
    const bytes = Buffer.from(replace(text));
    const headers = { ...outgoing.headers, 'Content-Length': String(bytes.length) };
    return sendOutgoing(response, { ...outgoing, headers, body: piecesOf(bytes) });
  });

async function* piecesOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

async function* brokenOff(pieces: AsyncIterable<string | Uint8Array>, breaksAfter: (piece: string) => boolean) {
  for await (const piece of pieces) {
    yield piece;
    if (breaksAfter(String(piece))) throw new Error('the connection is to break here');
  }
}

const brokenStream = (breaksAfter: (piece: string) => boolean): Behaviour => ({
  send(response, outgoing, answer) {
    const { body } = outgoing;
    const broken = answer.kind === 'stream' && typeof body !== 'string' ? brokenOff(body, breaksAfter) : body;
    return sendOutgoing(response, { ...outgoing, body: broken });
  },
});

const redirecting = (kind: 'model' | 'error', status: number): Behaviour =>
  inTurn(
    inHeaders(
      ({ url }) => ({ Location: `${url}?moved` }),
      ({ url }, answer) => answer.kind === kind && isModel(url),
    ),
    { answer: (answer) => ('Location' in answer.headers ? { ...answer, status } : answer) },
  );

export const httpFaults = {
  'single-model-cut-short': {
    description: 'the connection ends in the middle of the single model',
    trips: ['http.response.complete'],
    behaviour: singleModel('model', (response, outgoing, text) => {
      const body = brokenOff(piecesOf(Buffer.from(text.slice(0, 20))), () => true);
      return sendOutgoing(response, { ...outgoing, body });
    }),
  },
  'unknown-model-unanswered': {
    description: 'the connection ends without an answer where the single model is unknown',
    trips: ['http.response.complete'],
    behaviour: singleModel('error', async (response) => {
      response.destroy();
    }),
  },
  'single-model-not-http': {
    description: 'the single model comes under a status line that is not that of HTTP',
    trips: ['http.response.complete'],
    behaviour: singleModel('model', async (response, _, text) => {
      response.socket?.end(`STACK/1.0 200 OK\r\n\r\n${text}`);
    }),
  },
  'stream-cut-in-its-middle': {
    description: 'the connection ends after the first event of a stream',
    trips: ['http.response.complete'],
    behaviour: brokenStream(() => true),
  },
  'stream-cut-after-done': {
    description: 'the connection ends after [DONE], so that the body never ends',
    trips: ['http.response.complete'],
    behaviour: brokenStream((event) => event.includes('[DONE]')),
  },
  'single-model-redirects': {
    description: 'the single model redirects to a longer URL',
    trips: ['http.redirect.none'],
    behaviour: redirecting('model', 307),
  },
  'unknown-model-redirects': {
    description: 'a single model that does not exist redirects instead of 404',
    trips: ['http.redirect.none'],
    behaviour: redirecting('error', 302),
  },
  'list-labelled-text': {
    description: 'the list of models is labelled text/plain',
    trips: ['http.body.json'],
    behaviour: inHeaders(
      () => ({ 'Content-Type': 'text/plain; charset=utf-8' }),
      (_, { kind }) => kind === 'models',
    ),
  },
  'single-model-unlabelled': {
    description: 'the single model has no Content-Type',
    trips: ['http.body.json'],
    behaviour: inHeaders(
      () => ({ 'Content-Type': undefined }),
      (_, { kind }) => kind === 'model',
    ),
  },
  'single-model-html': {
    description: 'a web page comes in the place of the single model',
    trips: ['http.body.json'],
    behaviour: replaceText(() => '<!doctype html><title>Models</title>'),
  },
  'single-model-bad-utf8': {
    description: 'the single model holds a byte that is not UTF-8',
    trips: ['http.body.json'],
    behaviour: replaceText((text) => Buffer.from(text.replace('stack29', 'stack\xe9'), 'latin1')),
  },
  'single-model-twice': {
    description: 'the single model is followed by a second JSON text',
    trips: ['http.body.json'],
    behaviour: replaceText((text) => `${text}\n${text}`),
  },
  'unknown-model-page': {
    description: 'an unknown model is answered with 404 and a web page',
    trips: ['http.body.json'],
    behaviour: {
      send: (response, outgoing, { status }) => {
        if (status !== 404) return sendOutgoing(response, outgoing);
        const body = '<!doctype html><title>Not found</title>';
        const headers = { ...outgoing.headers, 'Content-Type': 'text/html', 'Content-Length': String(body.length) };
        return sendOutgoing(response, { status, headers, body });
      },
    },
  },
  'unknown-model-without-body': {
    description: 'an unknown model is answered with 404 and nothing',
    trips: ['http.body.json'],
    behaviour: {
      send: (response, outgoing, { status }) =>
        status === 404
          ? sendOutgoing(response, { status, headers: { ...outgoing.headers, 'Content-Length': '0' }, body: '' })
          : sendOutgoing(response, outgoing),
    },
  },
} as const satisfies Faults;
