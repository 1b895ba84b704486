import type { Logger } from 'pino';
import { lockDirectory } from '../record/directory-lock.ts';
import { type EmbeddedPostgres, startEmbedded } from '../record/embedded.ts';
import type { Config } from './config.ts';

/** The data directory, which no other process has now, and what runs on it. */
export interface OpenData {
  /** Null where the configuration names a PostgreSQL. */
  readonly postgres: EmbeddedPostgres | null;
  /** Stops PostgreSQL, and lets go of the directory. */
  close(): Promise<void>;
}

export async function openData({ config, log }: { config: Config; log: Logger }): Promise<OpenData> {
  const lock = await lockDirectory(config.dataDir);
  try {
    const postgres = config.databaseUrl ? null : await startEmbedded({ dataDir: config.dataDir, log, lock });
    return {
      postgres,
      async close() {
        await postgres?.stop();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
