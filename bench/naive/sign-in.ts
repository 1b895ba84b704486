import { createPublicKey } from 'node:crypto';
import { jwtVerify } from 'jose';
import type { NaiveOptions } from './variant.ts';

export const ISSUER = 'http://naive.invalid';
export const AUDIENCE = 'naive';

/** Remembered tokens are forgotten all at once at this many. */
const MAX_REMEMBERED = 20_000;

interface SignedIn {
  readonly username: string;
  /** Seconds since 1970. */
  readonly expires: number;
}

/** Finds out who sends a request: an RS256 token of jose's, its key kept ready. Rejects with jose's errors. */
export function signIn({ publicKey, tokens }: NaiveOptions): (authorization: string | undefined) => Promise<string> {
  const key = createPublicKey(publicKey);
  const remembered = new Map<string, SignedIn>();
  const verify = async (token: string): Promise<SignedIn> => {
    const options = { algorithms: ['RS256'], issuer: ISSUER, audience: AUDIENCE };
    const { payload } = await jwtVerify(token, key, options);
    return { username: payload['cognito:username'] as string, expires: payload.exp! };
  };
  return async (authorization) => {
    const token = authorization ?? '';
    if (tokens === 'each') return (await verify(token)).username;
    const known = remembered.get(token);
    if (known && known.expires > Date.now() / 1000) return known.username;
    const signedIn = await verify(token);
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(token, signedIn);
    return signedIn.username;
  };
}
