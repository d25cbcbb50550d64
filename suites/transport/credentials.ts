import type { Credential } from '../../specs/evidence.ts';

/** A key that no target knows: plausible in form, and no secret. */
export const unknownKey = 'sk-stack29-conformance-unknown';

/** Stands for the key in the path and the messages of a dialog, so that no key is in evidence. */
export const keyWord = '$STACK29_API_KEY';

export interface Keys {
  /** Absent for a target that asks for none. */
  readonly key: string | undefined;
  readonly disabledKey?: string | undefined;
  readonly exhaustedKey?: string | undefined;
}

/** The key itself; empty where there is none. */
export function keyFor(credential: Credential, { key = '', disabledKey = '', exhaustedKey = '' }: Keys): string {
  switch (credential) {
    case 'unknown':
      return unknownKey;
    case 'disabled':
      return disabledKey;
    case 'exhausted':
      return exhaustedKey;
    default:
      return key;
  }
}

/** The value of the Authorization header for a credential; `undefined` where the request carries none. */
export function authorizationFor(credential: Credential, { key, disabledKey, exhaustedKey }: Keys): string | undefined {
  switch (credential) {
    case 'key':
      return key === undefined ? undefined : `Bearer ${key}`;
    case 'basic':
      return key === undefined ? undefined : `Basic ${key}`;
    case 'unknown':
      return `Bearer ${unknownKey}`;
    case 'disabled':
      if (disabledKey === undefined) throw new Error('a request needs the disabled key, and none was given');
      return `Bearer ${disabledKey}`;
    case 'exhausted':
      if (exhaustedKey === undefined) throw new Error('a request needs the exhausted key, and none was given');
      return `Bearer ${exhaustedKey}`;
    case 'none':
      return undefined;
  }
}
