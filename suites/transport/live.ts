import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { DialogStep, Exchange } from '../../specs/evidence.ts';
import { type Clock, systemClock } from './clock.ts';
import { authorizationFor, type Keys, keyFor, keyWord } from './credentials.ts';
import { dialogOver } from './dialog.ts';
import { type ConnectionSettings, openDispatcher } from './dispatcher.ts';
import { exchangeOver } from './exchange.ts';
import type { FaultHeader } from './fault-header.ts';
import { openMask, secretsIn } from './mask.ts';
import { agentFor } from './socket-agent.ts';
import { BadSettings, type Wire, type WireRequest } from './wire.ts';

export interface LiveSettings extends Keys, ConnectionSettings {
  /** With its `/v1`, without a slash at the end. */
  readonly baseUrl: string;
  /** Bytes of a body, as they come; 8 MiB unless given. */
  readonly bodyLimit?: number | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What makes the target fail. */
  readonly faultHeader?: FaultHeader | undefined;
  readonly userAgent: string;
  /** `clock.elapsed()` at the run's start, from which all times are counted. */
  readonly startedAt: number;
  /** The system's unless given. */
  readonly clock?: Clock | undefined;
}

const ownHeaders = new Set([
  ...['authorization', 'connection', 'content-length', 'expect', 'host', 'keep-alive', 'proxy-authorization'],
  ...['transfer-encoding', 'upgrade'],
]);

/**
 * Talks to a target over sockets: one connection an exchange, no redirect followed, secrets masked in what it gives
 * back. Whatever the target does ends as an exchange within three times `timeoutMs`, or that for each start of a dialog.
 * @throws BadSettings for a key, header or proxy variable that cannot be used
 */
export function openLiveWire(settings: LiveSettings): Wire {
  checkSettings(settings);
  const { baseUrl, bodyLimit = 8 * 2 ** 20, headers: extra = {}, startedAt, clock = systemClock } = settings;
  const base = new URL(baseUrl);
  const bounds = { timeoutMs: settings.timeoutMs, bodyLimit };
  const secrets = [settings.key, settings.disabledKey, settings.exhaustedKey].filter((key) => key !== undefined);
  const mask = openMask([...secrets, ...secretsIn(extra)]);
  const elapsed = () => Math.round((clock.elapsed() - startedAt) * 1000) / 1000;
  const open = new Set<{ destroy(): Promise<void> }>();

  function recorded({ probe, step, method, path, credential, demand, body, dialog }: WireRequest, headers: HeaderMap) {
    return {
      kind: 'exchange',
      probe,
      step,
      request: {
        method,
        path: mask.text(path),
        credential,
        ...(demand && { demand }),
        ...(dialog && { dialog }),
        headers: mask.requestHeaders(Object.entries(headers)),
        ...(body !== undefined && { body: mask.text(body) }),
      },
    } as const;
  }

  async function talk(request: WireRequest, steps: readonly DialogStep[], headers: HeaderMap): Promise<Exchange> {
    const key = keyFor(request.credential, settings);
    const url = new URL(`${baseUrl}${request.path.replaceAll(keyWord, encodeURIComponent(key))}`);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const inJson = JSON.stringify(key).slice(1, -1);
    const { response, socket, ...times } = await dialogOver(
      {
        url,
        headers,
        steps,
        fill: (text) => text.replaceAll(keyWord, () => inJson),
        connection: {
          agent: agentFor(url),
          rejectUnauthorized: !settings.insecure,
          ...(settings.ca !== undefined && { ca: settings.ca }),
        },
      },
      bounds,
      { ...clock, elapsed },
    );
    const frames = socket?.frames.map(({ bytes, at, ...frame }) => ({ ...frame, ...mask.piece({ at, bytes }) }));
    return {
      ...recorded(request, headers),
      ...times,
      ...(response && { response: mask.response(response) }),
      ...(socket && { socket: { ...socket, frames: frames ?? [] } }),
    };
  }

  return {
    async send(request) {
      const headers = headersOf(request, settings);
      if (request.dialog) return talk(request, request.dialog, headers);
      const dispatcher = openDispatcher(base, settings);
      open.add(dispatcher);
      const { response, ...times } = await exchangeOver(
        dispatcher,
        {
          origin: base.origin,
          path: base.pathname.replace(/\/$/, '') + request.path,
          method: request.method,
          headers,
          body: request.body ?? null,
        },
        bounds,
        { ...clock, elapsed },
      ).finally(() => open.delete(dispatcher));
      return {
        ...recorded(request, headers),
        ...times,
        ...(response && { response: mask.response(response) }),
      } satisfies Exchange;
    },
    async close() {
      await Promise.all([...open].map((dispatcher) => dispatcher.destroy()));
    },
  };
}

type HeaderMap = Readonly<Record<string, string>>;

function headersOf(request: WireRequest, settings: LiveSettings): HeaderMap {
  const inHeader = !JSON.stringify([request.path, request.dialog]).includes(keyWord);
  const authorization = inHeader ? authorizationFor(request.credential, settings) : undefined;
  const layers = [
    { accept: 'application/json, text/event-stream', 'accept-encoding': 'identity', 'user-agent': settings.userAgent },
    settings.headers ?? {},
    request.headers,
    demandHeader(request, settings),
    authorization === undefined ? {} : { authorization },
  ];
  const named = layers.flatMap((layer) =>
    Object.entries(layer).map(([name, value]) => [name.toLowerCase(), value] as const),
  );
  return Object.fromEntries(named);
}

function demandHeader({ demand }: WireRequest, { faultHeader }: LiveSettings): Record<string, string> {
  if (demand === undefined) return {};
  const value = faultHeader?.values[demand];
  if (!faultHeader || value === undefined)
    throw new Error(`a request asks for ${demand}, and no header for it was given`);
  return { [faultHeader.name]: value };
}

function checkSettings(settings: LiveSettings): void {
  for (const [name, value] of Object.entries(settings.headers ?? {})) {
    const lower = name.toLowerCase();
    if (lower === 'authorization') throw new BadSettings('--header cannot give authorization; use --api-key');
    if (ownHeaders.has(lower)) throw new BadSettings(`--header cannot give ${lower}: each request sets it by itself`);
    checkHeader(`--header ${name}`, name, value);
  }
  const { name = '', values = {} } = settings.faultHeader ?? {};
  if (ownHeaders.has(name.toLowerCase())) throw new BadSettings(`--fault-header cannot be ${name.toLowerCase()}`);
  for (const value of Object.values(values)) checkHeader('--fault-header', name, value);
  checkHeader('--api-key', 'authorization', settings.key ?? '');
  checkHeader('--disabled-key', 'authorization', settings.disabledKey ?? '');
  checkHeader('--exhausted-key', 'authorization', settings.exhaustedKey ?? '');
  try {
    void openDispatcher(new URL(settings.baseUrl), settings).destroy();
  } catch (error) {
    throw new BadSettings('HTTP_PROXY or HTTPS_PROXY is not a proxy URL such as http://proxy.example:3128', {
      cause: error,
    });
  }
}

/** Says which option is wrong, and never its value. */
function checkHeader(option: string, name: string, value: string): void {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch {
    throw new BadSettings(`${option} holds a character that no HTTP header may hold, such as a line end`);
  }
}
