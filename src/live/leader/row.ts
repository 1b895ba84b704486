import type { RecordReader } from '../../record/record.ts';

/** What the followed tables looked like when the views in the store were last known to be the record's; null before. */
export async function savedFingerprint(record: RecordReader): Promise<string | null> {
  const [row] = await record.query<{ fingerprint: string | null }>('select fingerprint from lockstep.leader');
  return row!.fingerprint;
}

export async function saveFingerprint(record: RecordReader, fingerprint: string): Promise<void> {
  await record.query('update lockstep.leader set fingerprint = $1', [fingerprint]);
}
