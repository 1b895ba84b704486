import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import type { RecordTransaction } from '../record/record.ts';
import { MICROS_PER_DAY, microsToIso } from '../record/time.ts';

/** Days a code is good for. */
export const CONFIRMATION_DAYS = 1;
const MAX_ATTEMPTS = 5;
const CODE_LENGTH = 8;
/** Without letters and digits that look alike (Crockford's base 32). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Makes a new code for an account, in place of the one before. Only its hash is stored. */
export async function createCode(tx: RecordTransaction, sub: string, now: number): Promise<string> {
  const code = Array.from({ length: CODE_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  await tx.query(
    `insert into lockstep.confirmations (user_id, code_hash, expires_at) values ($1, $2, $3)
     on conflict (user_id) do update set code_hash = excluded.code_hash, expires_at = excluded.expires_at, attempts = 0`,
    [sub, hash(sub, code), microsToIso(now + CONFIRMATION_DAYS * MICROS_PER_DAY)],
  );
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

/**
 * Uses up a code: true once, for the right one in time. A wrong one counts as an attempt, of which a code has five; the transaction must
 * commit for it to count.
 */
export async function takeCode(tx: RecordTransaction, sub: string, code: string, now: number): Promise<boolean> {
  const [row] = await tx.query<{ code_hash: Uint8Array }>(
    `update lockstep.confirmations set attempts = attempts + 1
     where user_id = $1 and attempts < $2 and expires_at > $3 returning code_hash`,
    [sub, MAX_ATTEMPTS, microsToIso(now)],
  );
  if (!row || !timingSafeEqual(hash(sub, code), row.code_hash)) return false;
  await tx.query('delete from lockstep.confirmations where user_id = $1', [sub]);
  return true;
}

/** The account's id is the salt; case, spaces and hyphens do not matter, and O, I and L are read as 0 and 1. */
function hash(sub: string, code: string): Buffer {
  const normal = code.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  return createHash('sha256').update(`${sub}:${normal}`).digest();
}
