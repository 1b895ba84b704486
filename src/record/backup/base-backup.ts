import { Readable } from 'node:stream';
import pg from 'pg';
import { connectionConfig } from '../connections.ts';

/** A piece of what the server sends, in this order: the archive, then the manifest; how far it is comes in between. */
export type Part =
  | { readonly kind: 'archive' | 'manifest'; readonly bytes: Buffer }
  | { readonly kind: 'progress'; readonly done: number; readonly of: number };

/** Pieces that may wait before reading from the server rests; each has up to 32 KiB. */
const MAX_WAITING = 64;

/**
 * The files of a whole PostgreSQL server as they come, while it goes on: PostgreSQL's own base backup, with the log that makes them
 * consistent, the checksum of every page verified, and a manifest of SHA-256 sums. Source: the manual, "Streaming Replication
 * Protocol", BASE_BACKUP. Throws PostgreSQL's error, and for a server with tablespaces, whose files lie elsewhere.
 */
export async function* baseBackup(url: string): AsyncGenerator<Part> {
  const client = new pg.Client({
    ...connectionConfig(url),
    ...({ replication: 'true' } as object),
    application_name: 'lockstep backup',
    keepAlive: true,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    // Ends with the connection; until then the server keeps the log from here on.
    const slot = `lockstep_backup_${process.pid}_${Date.now().toString(36)}`;
    await client.query(`CREATE_REPLICATION_SLOT ${slot} TEMPORARY PHYSICAL RESERVE_WAL`);
    yield* client.query(new BaseBackup());
  } finally {
    await client.end();
  }
}

const COMMAND = `BASE_BACKUP (LABEL 'lockstep', PROGRESS true, CHECKPOINT 'fast', WAL true, MANIFEST 'yes', MANIFEST_CHECKSUMS 'SHA256')`;

/** What is used of pg's connection. */
interface Connection {
  query(text: string): void;
  readonly stream: { pause(): void; resume(): void };
}

/** The command as a query of pg's. */
class BaseBackup extends Readable implements pg.Submittable {
  #connection: Connection | undefined;
  #archives = 0;
  #total = 0;
  #kind: 'archive' | 'manifest' = 'archive';

  constructor() {
    super({ objectMode: true, highWaterMark: MAX_WAITING });
  }

  submit(connection: unknown): void {
    this.#connection = connection as Connection;
    this.#connection.query(COMMAND);
  }

  override _read(): void {
    this.#connection?.stream.resume();
  }

  handleRowDescription(): void {}

  /** Start and end of the log in it; in between the tablespaces, each with its size in KiB. */
  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    if (fields.length === 3) this.#total += Number(fields[2]) * 1024;
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    const body = chunk.subarray(1);
    const kind = String.fromCharCode(chunk[0]!);
    if (kind === 'd') this.#add({ kind: this.#kind, bytes: Buffer.from(body) });
    else if (kind === 'p') this.#add({ kind: 'progress', done: Number(body.readBigInt64BE()), of: this.#total });
    else if (kind === 'm') this.#kind = 'manifest';
    else if (kind === 'n' && ++this.#archives > 1) {
      this.destroy(
        new Error('the database has tablespaces of its own, which this backup does not reach: use pg_basebackup'),
      );
    }
  }

  handleCommandComplete(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}

  handleReadyForQuery(): void {
    this.push(null);
  }

  handleError(error: Error): void {
    this.destroy(error);
  }

  #add(part: Part): void {
    if (!this.destroyed && !this.push(part)) this.#connection!.stream.pause();
  }
}
