import { createHash } from 'node:crypto';
import { ClientError } from './errors.ts';
import type { PgRecord, RecordTransaction } from './record.ts';

/** How a client names a write, so that sending it again does not do it again. */
export interface IdempotencyKey {
  /** Whose key, and for what: `leaderboard.submit:<user id>`. */
  readonly scope: string;
  /** As the client sent it. */
  readonly key: string;
  /**
   * What the request says (its body, say), as text or as JSON has it: the same key with another one is refused. In which order the
   * members of an object come makes no difference, unless it is text.
   */
  readonly fingerprint: unknown;
}

export interface Idempotent<T> {
  readonly value: T;
  /** The work was done by an earlier request, and this is what that one was answered. */
  readonly replayed: boolean;
}

/** Claims the key, also one that has expired; returns nothing when another request has it. Waits for one that is at work. */
const CLAIM = `
  insert into lockstep.idempotency_keys as held (scope, key, fingerprint)
  values ($1, $2, $3)
  on conflict (scope, key) do update
     set fingerprint = excluded.fingerprint, response = null, created_at = now()
   where held.created_at < now() - interval '24 hours'
  returning key`;

/**
 * Does `work` once for each key: the first request does it and keeps its answer (which must survive JSON), in the same
 * transaction; a repeat within 24 hours gets that answer. Of concurrent repeats the later ones wait. Throws `ClientError` 422
 * when the key came with another fingerprint. Work that fails leaves no key behind.
 */
export async function idempotent<T>(
  tx: RecordTransaction,
  { scope, key, fingerprint }: IdempotencyKey,
  work: () => Promise<T>,
): Promise<Idempotent<T>> {
  const digest = digestOf(fingerprint);
  const claimed = await tx.query(CLAIM, [scope, key, digest]);
  if (claimed.length === 0) return { value: await storedAnswer<T>(tx, scope, key, digest), replayed: true };
  const value = await work();
  await tx.query('update lockstep.idempotency_keys set response = $3 where scope = $1 and key = $2', [
    scope,
    key,
    JSON.stringify(value ?? null),
  ]);
  return { value, replayed: false };
}

function digestOf(fingerprint: unknown): Buffer {
  const text = typeof fingerprint === 'string' ? fingerprint : JSON.stringify(fingerprint, inOrder);
  return createHash('sha256').update(text).digest();
}

/** For `JSON.stringify`: an object's members by their names. */
function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function storedAnswer<T>(tx: RecordTransaction, scope: string, key: string, digest: Buffer): Promise<T> {
  const [held] = await tx.query<{ fingerprint: Uint8Array; response: string }>(
    'select fingerprint, response from lockstep.idempotency_keys where scope = $1 and key = $2',
    [scope, key],
  );
  if (!held || !digest.equals(held.fingerprint)) {
    throw new ClientError(
      422,
      'This Idempotency-Key was used for another request. Use a new key for each new request, and the same key only to repeat one.',
    );
  }
  return JSON.parse(held.response) as T;
}

/** Deletes the keys older than 24 hours and returns their number. For a timer: once an hour is plenty. */
export async function sweepIdempotencyKeys(record: PgRecord): Promise<number> {
  const { value } = await record.transaction((tx) =>
    tx.query(
      `with swept as (delete from lockstep.idempotency_keys where created_at < now() - interval '24 hours' returning 1)
       select count(*) as swept from swept`,
    ),
  );
  return Number(value[0]!.swept);
}
