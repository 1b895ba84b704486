import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbedded } from '../../src/record/embedded.ts';
import { silent } from '../../src/record/log.ts';

/**
 * The naive way's PostgreSQL: the binaries and settings of Lockstep's own, except that its log is the ordinary one, which is
 * the shorter: nobody follows it.
 */
export function startPostgres(directory: string): Promise<EmbeddedPostgres> {
  const settings = { wal_level: 'replica' };
  return startEmbedded({ dataDir: join(directory, 'postgres-naive'), log: silent, settings });
}
