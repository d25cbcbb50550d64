import type { Behaviour } from '../behaviour.ts';
import { isObject, type Members, membersOf } from '../change.ts';
import type { Outbound, Scene, SocketBehaviour } from './socket-behaviour.ts';

/** The type that a message of the server has. */
export function typeOf(message: Outbound): unknown {
  return isObject(message) ? message.type : undefined;
}

/** Gives other messages in the place of those of a generation that have a type. */
export function inGeneration(
  type: 'content' | 'done',
  replace: (message: Members, scene: Scene, index: number) => readonly Outbound[],
): Behaviour {
  return onSockets({
    async *turn(messages, scene) {
      let index = 0;
      for await (const message of messages) {
        const hit = typeOf(message) === type;
        yield* hit ? replace(membersOf(message), scene, index) : [message];
        if (hit) index += 1;
      }
    },
  });
}

/** Gives other messages in the place of a pong or of an error. */
export function inReply(
  type: 'pong' | 'error',
  replace: (message: Members, scene: Scene) => readonly Outbound[],
  when: (message: Members, scene: Scene) => boolean = () => true,
): Behaviour {
  return onSockets({
    reply: (message, scene) =>
      typeOf(message) === type && when(membersOf(message), scene) ? replace(membersOf(message), scene) : [message],
  });
}

export function onSockets(socket: SocketBehaviour): Behaviour {
  return { socket };
}

/** The max_tokens that a start asks for. */
export function tokensAsked({ received }: Scene): number {
  return Number(membersOf(received).max_tokens);
}
