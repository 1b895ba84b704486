import { epochOf, type LogIdentity, readDatabaseIdentity } from './epoch.ts';
import { SqlSession } from './sql-session.ts';
import { inTime, leave } from './wire/answer.ts';
import { connect } from './wire/connect.ts';

/** The URLs of a record. */
export interface RecordUrls {
  readonly url: string;
  readonly replicationUrl: string;
}

/** The epoch of the record's log as it is now, asked beside any feed. */
export async function readEpoch(record: RecordUrls): Promise<string> {
  return epochOf(await readLog(record));
}

/** What the record's log is known by now. */
export async function readLog({ url, replicationUrl }: RecordUrls): Promise<LogIdentity> {
  const sql = new SqlSession({ url });
  try {
    const replication = await connect({ url: replicationUrl, replication: true });
    try {
      const { rows } = await inTime(replication, replication.query('IDENTIFY_SYSTEM'));
      const identity = await readDatabaseIdentity(sql.ask);
      return { systemId: rows[0].systemid, timeline: Number(rows[0].timeline), ...identity };
    } finally {
      await leave(replication);
    }
  } finally {
    await sql.close();
  }
}
