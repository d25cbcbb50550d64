import type { Places } from './store.ts';

/** Places in the memory of this server. */
export function memoryPlaces(): Places {
  const running = new Map<string, number>();
  const change = (account: string, by: number) => {
    const left = (running.get(account) ?? 0) + by;
    if (left > 0) running.set(account, left);
    else running.delete(account);
    return left;
  };
  return {
    async take(account, most) {
      if ((running.get(account) ?? 0) >= most) return undefined;
      let held = true;
      return {
        running: change(account, 1),
        async release() {
          if (held) change(account, -1);
          held = false;
        },
      };
    },
  };
}
