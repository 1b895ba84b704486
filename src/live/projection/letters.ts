import type { RecordTransaction } from '../../record/record.ts';
import type { Row, Value } from '../../record/value.ts';
import { keyName, type PendingRow } from '../../views/projection/pending.ts';

/** What could not be written to the target, and why. */
export interface Letter {
  readonly target: string;
  readonly row: PendingRow;
  readonly reason: string;
}

/** A key of one of the projection's tables. */
export function letterName(target: string, key: readonly string[] | string): string {
  return `${target} ${typeof key === 'string' ? key : keyName(key)}`;
}

/** The keys that dead letters hold back. */
export async function heldKeys(tx: Pick<RecordTransaction, 'query'>, projection: string): Promise<Set<string>> {
  const rows = await tx.query<{ target: string; key: string }>(
    'select target, key from lockstep.dead_letters where projection = $1',
    [projection],
  );
  return new Set(rows.map(({ target, key }) => letterName(target, key)));
}

/** A dead letter as an operator reads it. */
export interface DeadLetter {
  readonly target: string;
  /** The values of the key. */
  readonly key: readonly string[];
  readonly reason: string;
  /** Later changes of the key that wait with it. */
  readonly held: number;
  readonly attempts: number;
  /** Microseconds since 1970 UTC. */
  readonly lastAt: number;
}

/** The newest dead letters of a projection. */
export async function newestLetters(
  tx: Pick<RecordTransaction, 'query'>,
  projection: string,
  limit: number,
): Promise<DeadLetter[]> {
  const rows = await tx.query<Omit<DeadLetter, 'key'> & { key: string }>(
    `select target, key, reason, held, attempts, last_at as "lastAt"
       from lockstep.dead_letters where projection = $1 order by last_at desc limit $2`,
    [projection, limit],
  );
  return rows.map((row) => ({ ...row, key: JSON.parse(row.key) as string[] }));
}

const WRITE = `
  insert into lockstep.dead_letters as l (projection, target, key, source, reason)
  select $1, target, key, source::jsonb, reason
    from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as sent (target, key, source, reason)
  on conflict (projection, target, key) do update set
    source = excluded.source, held = l.held + 1, last_at = now(), reason = coalesce(nullif(excluded.reason, ''), l.reason)`;

/** Lays letters down. One of a key that has one is held back with it: a reason that is empty leaves the first one's. */
export async function writeLetters(
  tx: RecordTransaction,
  projection: string,
  letters: readonly Letter[],
): Promise<void> {
  if (letters.length === 0) return;
  await tx.query(WRITE, [
    projection,
    letters.map(({ target }) => target),
    letters.map(({ row }) => keyName(row.key)),
    letters.map(({ row }) => row.source && encodeRow(row.source)),
    letters.map(({ reason }) => reason),
  ]);
}

/** A source row as JSON: bigints and bytes, which JSON has not, as `["bigint", "1"]` and `["bytes", "base64"]`. */
export function encodeRow(row: Row): string {
  return JSON.stringify(row, (_name, value: unknown) => {
    if (typeof value === 'bigint') return ['bigint', String(value)];
    return value instanceof Uint8Array ? ['bytes', Buffer.from(value).toString('base64')] : value;
  });
}

export function decodeRow(text: string): Row {
  const row = JSON.parse(text) as Record<string, Value | [string, string]>;
  const entries = Object.entries(row).map(([name, value]) => [name, Array.isArray(value) ? tagged(value) : value]);
  return Object.fromEntries(entries);
}

function tagged([type, text]: [string, string]): Value {
  return type === 'bigint' ? BigInt(text) : new Uint8Array(Buffer.from(text, 'base64'));
}
