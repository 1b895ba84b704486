import { epochOf, readDatabaseIdentity } from './epoch.ts';
import { SqlSession } from './sql-session.ts';
import { connect } from './wire/connect.ts';

/** The epoch of the record's log as it is now, asked beside any feed. */
export async function readEpoch({ url, replicationUrl }: { url: string; replicationUrl: string }): Promise<string> {
  const sql = new SqlSession({ url });
  try {
    const replication = await connect({ url: replicationUrl, replication: true });
    try {
      const { rows } = await replication.query('IDENTIFY_SYSTEM');
      const identity = await readDatabaseIdentity(sql.ask);
      return epochOf({ systemId: rows[0].systemid, timeline: Number(rows[0].timeline), ...identity });
    } finally {
      await replication.end();
    }
  } finally {
    await sql.close();
  }
}
