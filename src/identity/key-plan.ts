/** When a signing key is used. Microseconds since 1970 UTC. */
export interface KeyTimes {
  readonly kid: string;
  /** Signs from here on, until the next key does. Published before. */
  readonly activeFrom: number;
}

/** Microseconds each. */
export interface KeyPolicy {
  /** How long one key signs. */
  readonly rotateEvery: number;
  /** How long a key is published before it signs: longer than any verifier caches the JWKS. */
  readonly publishAhead: number;
  /** How long a key still verifies after the next one has begun to sign: longer than a token lives. */
  readonly keepAfter: number;
}

export interface KeyPlan {
  /** When the key to be created begins to sign; null when none is due. */
  readonly create: number | null;
  /** Keys no token needs any more. */
  readonly retire: readonly string[];
}

/** The key that signs now: the newest that has begun to. */
export function signingKey<K extends KeyTimes>(keys: readonly K[], now: number): K | undefined {
  return byTime(keys).findLast((key) => key.activeFrom <= now);
}

/**
 * What rotation asks for now. Each key's life: published `publishAhead` before it signs, signs for `rotateEvery`, verifies for
 * `keepAfter` more.
 */
export function planKeys(keys: readonly KeyTimes[], now: number, policy: KeyPolicy): KeyPlan {
  const sorted = byTime(keys);
  const retire = sorted.filter((_, i) => sorted[i + 1] && sorted[i + 1]!.activeFrom + policy.keepAfter <= now);
  return { create: nextKey(sorted, now, policy), retire: retire.map((key) => key.kid) };
}

function nextKey(sorted: readonly KeyTimes[], now: number, policy: KeyPolicy): number | null {
  if (!signingKey(sorted, now)) return now;
  const due = sorted.at(-1)!.activeFrom + policy.rotateEvery;
  return now < due - policy.publishAhead ? null : Math.max(due, now + policy.publishAhead);
}

function byTime<K extends KeyTimes>(keys: readonly K[]): K[] {
  return keys.toSorted((a, b) => a.activeFrom - b.activeFrom);
}
