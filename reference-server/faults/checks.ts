import type { Exchange } from '../admission.ts';
import { ApiError } from '../api-error.ts';
import type { Behaviour, Step } from '../behaviour.ts';
import { asked, changed, isObject, type Members } from '../change.ts';
import { onSockets } from '../websocket/change-socket.ts';
import type { Scene, SocketStep } from '../websocket/socket-behaviour.ts';

type Matches = (value: unknown, request: Members) => boolean;

/** Takes a bad parameter: acts as if `instead` had been given in its place. */
export function accepting(parameter: string, bad: Matches, instead?: unknown): Behaviour {
  return {
    body: (body) => (isObject(body) && bad(body[parameter], body) ? changed(body, `/${parameter}`, instead) : body),
  };
}

/** Refuses a good parameter, and names it. */
export function refusing(parameter: string, good: Matches): Behaviour {
  const refusal = new ApiError('invalid_request', `${parameter} is refused`, { param: parameter });
  return deciding('body', (exchange) => good(asked(exchange)[parameter], asked(exchange)), refusal);
}

/** Decides a check otherwise where `when` holds: with another error, or with none. */
export function deciding(
  step: Step,
  when: (exchange: Exchange, refusal: ApiError | undefined) => boolean,
  instead?: ApiError,
): Behaviour {
  return {
    decide: (refusal, current, exchange) => (current === step && when(exchange, refusal) ? instead : refusal),
  };
}

/** As {@link deciding}, of the checks of sockets. */
export const decidingOnSockets = (
  steps: readonly SocketStep[],
  when: (scene: Scene) => boolean,
  instead?: ApiError,
): Pick<Behaviour, 'socket'> =>
  onSockets({ decide: (refusal, step, scene) => (steps.includes(step) && when(scene) ? instead : refusal) });

export const always = () => true;
