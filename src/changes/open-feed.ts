import type pg from 'pg';
import type { Logger } from 'pino';
import { readTables } from './catalog.ts';
import { epochOf, type LogIdentity, readDatabaseIdentity } from './epoch.ts';
import { type FeedSession, RebuildNeeded, type Snapshot, type Source } from './feed.ts';
import { PgFeedSession } from './feed-session.ts';
import { FollowedTable } from './followed-table.ts';
import { formatLsn, type Position } from './position.ts';
import { checkPublished } from './publication.ts';
import { checkSlot, createSlot, dropSlot, overLimit, readSlot, type SlotOptions } from './slot.ts';
import { SlotWatch } from './slot-watch.ts';
import { openSnapshot } from './snapshot.ts';
import { SqlSession } from './sql-session.ts';
import { continues, readForks } from './timeline.ts';
import { ANSWER_MS, inTime, leave } from './wire/answer.ts';
import { connect } from './wire/connect.ts';

export interface FeedOptions {
  /** For the snapshot and the feed's questions. */
  readonly sqlUrl: string;
  /** Direct, never through a pooler (CORRECTNESS 16). */
  readonly replicationUrl: string;
  /** Made by `ensurePublication`. */
  readonly publication: string;
  readonly sources: readonly Source[];
  readonly slot: SlotOptions;
  /**
   * Where the state stands that the caller carries on. In another epoch a durable slot is refused (`epoch changed`), unless the
   * server's timeline began at or after that position.
   */
  readonly state?: Position;
  /** The caller has no state: a durable slot that is there is dropped and made anew, with a snapshot. */
  readonly anew?: boolean;
  /** The slot is given up when it keeps more WAL than this. */
  readonly walLimitBytes: number;
  /** More changes, or log bytes, make a transaction a large one, delivered in slices: 10,000 and 64 MiB unless told. */
  readonly maxTransactionChanges?: number;
  readonly maxTransactionBytes?: number;
  /** How long a new slot may wait for open transactions; 10 s unless told. */
  readonly creationTimeoutMs?: number;
  /** How long the server may take to answer anything else that is asked of it, START_REPLICATION too; 10 s unless told. */
  readonly answerMs?: number;
  /** How often the slot's WAL is measured; 5 s unless told. */
  readonly watchMs?: number;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * Opens one use of a replication slot. A temporary slot is new and comes with a snapshot; so does a durable one that is not
 * there yet. A durable one that is there is carried on, without a snapshot, from where it was confirmed.
 *
 * Throws `SlotBusy` (another process follows the slot), `SlotCreationBlocked` (open transactions, named), `RebuildNeeded` (the slot
 * that is there is of no use), or an Error that says what to set right.
 */
export async function openFeed(given: FeedOptions): Promise<FeedSession> {
  const options = { answerMs: ANSWER_MS, ...given };
  const sql = new SqlSession({ url: options.sqlUrl, answerMs: options.answerMs });
  let replication: pg.Client | undefined;
  try {
    replication = await connect({ url: options.replicationUrl, replication: true });
    return await open(options, sql, replication);
  } catch (error) {
    await Promise.all([replication && leave(replication), sql.close()]);
    throw error;
  }
}

type BoundedOptions = FeedOptions & { readonly answerMs: number };

async function open(options: BoundedOptions, sql: SqlSession, replication: pg.Client): Promise<FeedSession> {
  const { slot, publication } = options;
  const tables = await followedTables(options, sql);
  const server = await identify(sql, replication, options.answerMs);
  const begun = (await resume(options, sql, replication, server)) ?? (await begin(options, sql, replication, tables));
  return new PgFeedSession({
    ...begun,
    slot,
    epoch: server.epoch,
    publication,
    tables,
    replication,
    sql,
    watch: (onRebuild) =>
      new SlotWatch({
        ask: sql.ask,
        slot: slot.name,
        limitBytes: options.walLimitBytes,
        intervalMs: options.watchMs ?? 5000,
        log: options.log,
        onRebuild,
      }),
    answerMs: options.answerMs,
    maxTransactionChanges: options.maxTransactionChanges ?? 10_000,
    maxTransactionBytes: options.maxTransactionBytes ?? 64 * 1024 * 1024,
  });
}

async function followedTables({ sources, publication }: FeedOptions, sql: SqlSession) {
  const names = [...new Set(sources.map((source) => source.table))];
  const facts = await readTables(sql.ask, names);
  await checkPublished({ ask: sql.ask, publication, tables: names, facts });
  return new Map(
    names.map((name) => {
      const own = sources.filter((source) => source.table === name);
      return [name, new FollowedTable({ facts: facts.get(name)!, sources: own })];
    }),
  );
}

interface Server {
  readonly log: LogIdentity;
  readonly epoch: string;
  readonly database: string;
}

async function identify(sql: SqlSession, replication: pg.Client, answerMs: number): Promise<Server> {
  const { rows } = await inTime(replication, replication.query('IDENTIFY_SYSTEM'), answerMs);
  const { systemid: systemId, timeline, dbname: database } = rows[0];
  const [standby] = await sql.ask('select pg_catalog.pg_is_in_recovery() as yes');
  if (standby!.yes)
    throw new Error('the change feed follows a primary, and DATABASE_URL leads to a standby: name the primary');
  const identity = await readDatabaseIdentity(sql.ask);
  const log = { systemId, timeline: Number(timeline), ...identity };
  return { log, epoch: epochOf(log), database };
}

interface Begun {
  readonly start: number;
  readonly snapshot: Snapshot | undefined;
}

/** Carries a durable slot on from where it was confirmed; undefined where there is none to carry on. */
async function resume(
  options: BoundedOptions,
  sql: SqlSession,
  replication: pg.Client,
  server: Server,
): Promise<Begun | undefined> {
  const { slot, walLimitBytes } = options;
  const state = slot.temporary ? undefined : await readSlot(sql.ask, slot.name);
  if (!state) return undefined;
  checkSlot(slot.name, options.anew ? { ...state, lost: null } : state, server.database);
  if (options.anew) {
    await dropSlot(sql.ask, slot.name);
    return undefined;
  }
  await inTime(replication, checkEpoch(options.state, replication, server), options.answerMs);
  if (state.retainedBytes > walLimitBytes) {
    await dropSlot(sql.ask, slot.name);
    throw overLimit(slot.name, state.retainedBytes, walLimitBytes);
  }
  return { start: state.confirmed, snapshot: undefined };
}

async function checkEpoch(state: Position | undefined, replication: pg.Client, server: Server): Promise<void> {
  if (!state || state.epoch === server.epoch) return;
  const forks = await readForks(replication, server.log.timeline);
  if (continues(server.log, forks, state)) return;
  const fork = forks.at(-1);
  const detail = fork ? `, whose timeline ${server.log.timeline} began at ${formatLsn(fork.lsn)}` : '';
  throw new RebuildNeeded(
    'epoch changed',
    `the state is at ${formatLsn(state.lsn)} of epoch ${state.epoch}, the record in epoch ${server.epoch}${detail}`,
  );
}

/** Makes the slot, and takes its exported snapshot over at once: it is good only until the connection's next command. */
async function begin(
  options: BoundedOptions,
  sql: SqlSession,
  replication: pg.Client,
  tables: ReadonlyMap<string, FollowedTable>,
): Promise<Begun> {
  const [version] = await sql.ask(`select current_setting('server_version_num')::int as number`);
  const created = await createSlot({
    slot: options.slot,
    replication,
    ask: sql.ask,
    serverVersion: Number(version!.number),
    timeoutMs: options.creationTimeoutMs ?? 10_000,
    answerMs: options.answerMs,
  });
  try {
    const { sqlUrl: url, answerMs } = options;
    const snapshot = await openSnapshot({ url, exported: created.snapshot, tables, answerMs });
    return { start: created.consistentPoint, snapshot };
  } catch (error) {
    await leave(replication);
    if (!options.slot.temporary) await dropSlot(sql.ask, options.slot.name);
    throw error;
  }
}
