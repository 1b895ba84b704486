import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedSession } from '../../changes/feed.ts';
import { identifier, qualified } from '../../changes/quote.ts';
import { isVisible, parseSnapshot } from '../../changes/visibility.ts';
import { isFaultOfARow } from '../../record/coalesce/bisect.ts';
import type { RecordReader } from '../../record/record.ts';
import type { Row } from '../../record/value.ts';
import { type PendingTable, projectRow } from '../../views/projection/pending.ts';
import { isSilent, SILENT } from '../stream-watch.ts';
import { type Batch, Intake } from './intake.ts';
import { letterName } from './letters.ts';
import { PositionMoved, type ProjectionPosition, type ProjectionTarget } from './target.ts';

/** Rows that may wait: then the stream rests until they are written. */
const MAX_WAITING = 10_000;
/** The position is stored for the log's sake alone when it has moved on by this much (bytes). */
const IDLE_STEP = 1024 * 1024;

export interface WriterOptions {
  readonly session: FeedSession;
  readonly target: ProjectionTarget;
  readonly record: RecordReader;
  readonly position: ProjectionPosition;
  readonly held: ReadonlySet<string>;
}

/** A position whose commit is flushed when the stream, which tells only of what is, has come to `log`. */
interface Unflushed {
  readonly lsn: number;
  readonly log: number;
}

/**
 * Writes what the stream brings to the target: one batch at a time, each with everything that came while the one before was
 * written, so that batches grow with the load. Only what is stored, and on disk, is acknowledged.
 */
export class Writer {
  readonly #options: WriterOptions;
  readonly #intake: Intake;
  readonly #ended = Promise.withResolvers<never>();
  #position: ProjectionPosition;
  #held: ReadonlySet<string>;
  #writing: Promise<void> | undefined;
  /** The last batch's end, where it may not be flushed yet. */
  #committed: number | undefined;
  #unflushed: Unflushed | undefined;
  #scheduled = false;
  #stopped = false;
  #paused = false;
  /** The position is to be stored when this is reached, whether or not there is anything to write. */
  #wanted = 0;
  /** Batches written that held a part of a large transaction, and whether what followed is still to come. */
  #parts = 0;
  #whole = true;
  /** Rows read from the record itself: the target may be ahead of its position with them. */
  readAhead = 0;
  rows = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#position = options.position;
    this.#held = options.held;
    this.#ended.promise.catch(() => {}); // somebody waits for it, or nobody does
    this.#intake = new Intake({
      definition: options.target.definition,
      lsn: options.position.lsn!,
      held: options.held,
      wake: () => this.#schedule(),
      ended: (error) => this.end(error),
    });
  }

  get position(): ProjectionPosition {
    return this.#position;
  }

  /** Everything up to here is in the target, whose stored position may be before: of what came since, nothing mattered. */
  get reached(): number {
    const rests = this.#whole && !this.#writing && this.#intake.size === 0;
    return rests ? this.#intake.lsn : this.#position.lsn!;
  }

  get held(): number {
    return this.#held.size;
  }

  /** A number that stays the same while the target is exactly what its position says; null while it holds a part of a transaction. */
  get settled(): number | null {
    return this.#whole ? this.#parts : null;
  }

  /** Asks that the position be stored at `lsn` or after it. To be called again until it is. */
  store(lsn: number): void {
    this.#wanted = Math.max(this.#wanted, lsn);
    this.#options.session.poke();
    if (this.#intake.lsn >= lsn) this.#schedule();
  }

  /** Streams until something ends it, and throws that. */
  async run(): Promise<never> {
    const { session } = this.#options;
    await Promise.race([session.stream(this.#position.lsn!, this.#intake), this.#ended.promise]);
    return this.#ended.promise;
  }

  end(error: Error): void {
    this.#stopped = true;
    this.#ended.reject(error);
  }

  /** Returns when nothing is being written any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#writing;
  }

  /**
   * To be called about once a second, after the stream was asked for a sign of life. Stores how far the log was read where
   * nothing of it mattered, so that the slot lets go of it.
   */
  tick(): void {
    if (isSilent(this.#options.session)) this.end(new Error(SILENT));
    if (this.#intake.lsn - this.#position.lsn! >= IDLE_STEP) this.#schedule();
    this.#acknowledgeFlushed();
  }

  /** The batch that ends at `lsn` is written; see `ProjectionTarget.writeAll` for `log`. */
  #acknowledge(lsn: number, log: number | null): void {
    if (log === null) {
      this.#committed = undefined;
      this.#unflushed = undefined;
      this.#options.session.acknowledge(lsn);
      return;
    }
    this.#acknowledgeFlushed();
    if (this.#committed !== undefined) this.#unflushed ??= { lsn: this.#committed, log };
    this.#committed = lsn;
  }

  #acknowledgeFlushed(): void {
    if (!this.#unflushed || this.#intake.lsn < this.#unflushed.log) return;
    this.#options.session.acknowledge(this.#unflushed.lsn);
    this.#unflushed = undefined;
  }

  #schedule(): void {
    if (this.#intake.size >= MAX_WAITING) this.#pause(true);
    if (this.#scheduled || this.#writing || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#stopped) return;
      this.#writing = this.#writeOut().then(
        () => {
          this.#writing = undefined;
          if (this.#intake.size > 0) this.#schedule();
        },
        (error) => {
          this.#writing = undefined;
          this.end(error);
        },
      );
    });
  }

  /** The stream rests while too much waits. */
  #pause(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (paused) this.#options.session.pause();
    else this.#options.session.resume();
  }

  async #writeOut(): Promise<void> {
    const batch = this.#intake.take();
    this.#pause(false);
    const empty = batch.tables.every((table) => table.empty);
    const wanted = this.#position.lsn! < this.#wanted && batch.lsn >= this.#wanted;
    if (empty && !wanted && batch.lsn - this.#position.lsn! < IDLE_STEP) return;
    await this.#complete(batch);
    if (!batch.whole) {
      this.#parts++;
      this.#whole = false;
    }
    const log = await this.#write(batch);
    if (batch.whole) this.#whole = true;
    this.rows += batch.tables.reduce((sum, { rows }) => sum + rows.size, 0);
    this.#acknowledge(batch.lsn, log);
  }

  /** As `ProjectionTarget.writeAll`. */
  async #write(batch: Batch): Promise<number | null> {
    const { target } = this.#options;
    try {
      if (this.#simple(batch.tables)) {
        const log = await target.writeAll(batch.tables, this.#position, batch.lsn);
        this.#position = { ...this.#position, lsn: batch.lsn };
        return log;
      }
    } catch (error) {
      if (error instanceof PositionMoved) return this.#follow(batch);
      if (!isFaultOfARow(error)) throw error;
    }
    const before = this.#position.letters;
    this.#position = await target.writeApart(batch.tables, this.#position, batch.lsn);
    if (this.#position.letters !== before) await this.#learn();
    return null;
  }

  /** Somebody retried the dead letters meanwhile: known again, the batch is written; anything else is another process. */
  async #follow(batch: Batch): Promise<number | null> {
    const now = await this.#options.target.position();
    const { epoch, lsn, leader } = this.#position;
    const retried =
      now.epoch === epoch && now.lsn === lsn && now.leader === leader && now.letters !== this.#position.letters;
    if (!retried) throw new PositionMoved(this.#options.target.name);
    this.#position = now;
    await this.#learn();
    return this.#write(batch);
  }

  async #learn(): Promise<void> {
    this.#held = await this.#options.target.held();
    this.#intake.held = this.#held;
  }

  /** Nothing that needs to be looked at row by row. */
  #simple(tables: readonly PendingTable[]): boolean {
    const { definition } = this.#options.target;
    return tables.every(({ rows, truncated }, i) => {
      if (truncated) return false;
      const { target } = definition.tables[i]!;
      for (const [name, { fault }] of rows) {
        if (fault !== null || (this.#held.size > 0 && this.#held.has(letterName(target, name)))) return false;
      }
      return true;
    });
  }

  /** Reads the rows of which the log does not carry all. They may be ahead of the stream, which then brings the same again. */
  async #complete({ tables, xids }: Batch): Promise<void> {
    for (const [i, { rows }] of tables.entries()) {
      const table = this.#options.target.definition.tables[i]!;
      for (const [name, row] of rows) {
        if (!row.partial) continue;
        this.readAhead++;
        const source = await this.#read(table.source, row.partial, xids);
        const gone = { ...row, source: null, partial: null };
        rows.set(name, source ? projectRow(table, source) : gone);
      }
    }
  }

  /** The row as it is, in a snapshot that shows the batch: the log is first (CORRECTNESS 11). */
  async #read(source: string, key: Row, xids: readonly number[]): Promise<Row | undefined> {
    const same = Object.keys(key).map((name, i) => `t.${identifier(name)} = $${i + 1}`);
    const sql = `select t.*, t.ctid is not null as "lockstep there", now.snapshot as "lockstep snapshot"
      from (select pg_current_snapshot()::text as snapshot) as now left join ${qualified(source)} t on ${same.join(' and ')}`;
    for (;;) {
      const [found] = await this.#options.record.query(sql, Object.values(key));
      const { 'lockstep snapshot': snapshot, 'lockstep there': there, ...row } = found!;
      if (shows(snapshot as string, xids)) return there ? row : undefined;
      await sleep(1);
    }
  }
}

function shows(text: string, xids: readonly number[]): boolean {
  const snapshot = parseSnapshot(text);
  return xids.every((xid) => isVisible(xid, snapshot));
}
