import type { Position } from '../changes/position.ts';
import { isVisible, parseSnapshot } from '../changes/visibility.ts';
import type { Receipt } from '../record/record.ts';
import { PositionAhead, PositionOfAnotherEpoch, PositionTimeout, TooManyWaiters } from './errors.ts';
import type { Applied } from './live.ts';

/** Transactions kept for callers that come after their transaction was applied. */
const RECENT = 65_536;
/** After this long a write's transaction id is no longer trusted to show up (it may have changed nothing that is published). */
const XID_PATIENCE_MS = 10;
const SWEEP_MS = 10;
const NONE = new Set<number>();

export interface WatermarkOptions {
  /** The end of the record's flushed log, now. */
  flushedLsn(): Promise<number>;
  /** Asks the feed for a keepalive. */
  poke(): void;
  /** Waits at once; one more is refused. 100,000 unless told. */
  readonly maxWaiters?: number;
}

/** A moment of the watermark. */
export interface Mark {
  readonly position: Position;
  /** Null where nothing was applied in this epoch. */
  readonly newestXid: number | null;
}

interface Waiter {
  /** The LSN at which the wait is over; infinite while only the transaction id is known. */
  lsn: number;
  readonly since: number;
  readonly deadline: number;
  /** The applied LSN, or undefined at the deadline. */
  readonly promise: Promise<number | undefined>;
  readonly resolve: (lsn: number | undefined) => void;
}

/**
 * Up to where the views of this process have applied everything, and who waits for it. A write waits for its transaction id
 * in the stream, which needs no round trip; where that does not come (nothing of it was published), for the flushed end of the
 * log, with a keepalive asked for (CORRECTNESS 2).
 */
export class Watermark {
  readonly #options: WatermarkOptions;
  readonly #recent = new Map<number, number>();
  readonly #recentOrder = new Uint32Array(RECENT);
  #applied = 0;
  readonly #byXid = new Map<number, Waiter>();
  /** Waits for an LSN, those of late transaction ids among them; in no order. */
  #byLsn: Waiter[] = [];
  #nextLsn = Number.POSITIVE_INFINITY;
  #position: Position = { epoch: '0', lsn: 0 };
  #newestXid: number | null = null;
  /** Transactions that may be applied without this process having been told; null while that is not known. */
  #untold: Set<number> | null = NONE;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: WatermarkOptions) {
    this.#options = options;
  }

  get position(): Position {
    return this.#position;
  }

  get waiters(): number {
    return this.#byXid.size + this.#byLsn.length;
  }

  /** Starts over at a snapshot's position. In another epoch nothing seen or waited for before means anything any more. */
  restart(position: Position): void {
    if (position.epoch !== this.#position.epoch) this.#forget();
    this.#move(position);
  }

  /** A transaction was applied by every view. */
  transaction(xid: number, lsn: number): void {
    const slot = this.#applied++ % RECENT;
    if (this.#applied > RECENT) this.#recent.delete(this.#recentOrder[slot]!);
    this.#recentOrder[slot] = xid;
    this.#recent.set(xid, lsn);
    if (this.#newestXid === null || ((xid - this.#newestXid) | 0) > 0) this.#newestXid = xid;
    if (this.#untold !== NONE) this.#untold?.delete(xid); // it is told of now, and ended after what was missed
    this.#move({ epoch: this.#position.epoch, lsn });
    const waiter = this.#byXid.get(xid);
    if (!waiter) return;
    this.#byXid.delete(xid);
    waiter.resolve(lsn);
  }

  /** Nothing published lies between the last transaction and `lsn`. */
  progress(lsn: number): void {
    if (lsn > this.#position.lsn) this.#move({ epoch: this.#position.epoch, lsn });
  }

  /** What is applied now, to ask {@link visibleIn} about later. */
  mark(): Mark {
    return { position: this.#position, newestXid: this.#newestXid };
  }

  /**
   * Whether everything applied at `mark` is visible in a snapshot (`pg_current_snapshot()`: `xmin:xmax:xip,...`): the log
   * shows a commit before snapshots do (CORRECTNESS 11).
   */
  visibleIn(snapshot: string, mark: Mark): boolean {
    if (this.#untold !== NONE && !this.#untoldVisibleIn(snapshot)) return false;
    if (mark.newestXid === null) return true;
    const { xmax, running } = parseSnapshot(snapshot);
    if (((xmax - mark.newestXid) | 0) <= 0) return false;
    return !running.some((xid) => (this.#recent.get(xid) ?? Number.POSITIVE_INFINITY) <= mark.position.lsn);
  }

  /**
   * Moved past transactions that this process was not told of. Until it is known which were open then (`settled`), no snapshot
   * is sure to show what is applied.
   */
  missed(): void {
    this.#untold = null;
  }

  /** The transactions that were open after those that were missed, of this moment or earlier. One that is not open any more is visible. */
  settled(open: readonly number[]): void {
    const untold = open.filter((xid) => !this.#recent.has(xid));
    this.#untold = untold.length > 0 ? new Set(untold) : NONE;
  }

  /** Resolves when the receipt's transaction is applied, or with `applied: false` after `timeoutMs`. */
  async applied(receipt: Receipt, timeoutMs: number): Promise<Applied> {
    if (receipt.xid === null) return { position: this.#position, applied: true };
    const xid = Number(receipt.xid & 0xffff_ffffn);
    const lsn = this.#recent.get(xid) ?? (timeoutMs > 0 ? await this.#waitForXid(xid, timeoutMs) : undefined);
    if (lsn !== undefined) return { position: { epoch: this.#position.epoch, lsn }, applied: true };
    const flushed = await this.#options.flushedLsn().catch(() => null);
    return { position: flushed === null ? null : { epoch: this.#position.epoch, lsn: flushed }, applied: false };
  }

  /** Whether `position` is applied. */
  hasReached({ epoch, lsn }: Position): boolean {
    return epoch === this.#position.epoch && lsn <= this.#position.lsn;
  }

  /** Resolves when `position` is applied. */
  async reached(position: Position, timeoutMs: number): Promise<void> {
    if (this.hasReached(position)) return;
    if (position.epoch !== this.#position.epoch) throw new PositionOfAnotherEpoch();
    if (position.lsn > (await this.#options.flushedLsn())) throw new PositionAhead();
    if (this.hasReached(position)) return;
    if (position.epoch !== this.#position.epoch) throw new PositionOfAnotherEpoch();
    const waiter = this.#waiter(timeoutMs);
    this.#byLsn.push(waiter);
    this.#until([waiter], position.lsn);
    if ((await waiter.promise) !== undefined) return;
    throw position.epoch === this.#position.epoch ? new PositionTimeout() : new PositionOfAnotherEpoch();
  }

  /** Resolves with true when everything up to `lsn`, an end of the log that the record has told, is applied; with false after `timeoutMs`. */
  async passed(lsn: number, timeoutMs: number): Promise<boolean> {
    if (lsn <= this.#position.lsn) return true;
    const waiter = this.#waiter(timeoutMs);
    this.#byLsn.push(waiter);
    this.#until([waiter], lsn);
    return (await waiter.promise) !== undefined;
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #untoldVisibleIn(snapshot: string): boolean {
    if (this.#untold === null) return false;
    const seen = parseSnapshot(snapshot);
    for (const xid of this.#untold) if (!isVisible(xid, seen)) return false;
    this.#untold = NONE; // ended, all of them: so they are in every later snapshot too
    return true;
  }

  #forget(): void {
    this.#recent.clear();
    this.#untold = NONE;
    this.#applied = 0;
    this.#newestXid = null;
    for (const waiter of this.#byXid.values()) waiter.resolve(undefined);
    this.#byXid.clear();
    this.#settle(() => true, undefined);
  }

  #move(position: Position): void {
    this.#position = position;
    if (position.lsn >= this.#nextLsn) this.#settle((waiter) => waiter.lsn <= position.lsn, position.lsn);
  }

  /** Ends the waits for an LSN that `due` picks, with `lsn`. */
  #settle(due: (waiter: Waiter) => boolean, lsn: number | undefined): void {
    const ended = this.#byLsn.filter(due);
    this.#byLsn = this.#byLsn.filter((waiter) => !due(waiter));
    this.#nextLsn = this.#byLsn.reduce((least, waiter) => Math.min(least, waiter.lsn), Number.POSITIVE_INFINITY);
    for (const waiter of ended) waiter.resolve(lsn);
  }

  #waitForXid(xid: number, timeoutMs: number): Promise<number | undefined> {
    let waiter = this.#byXid.get(xid);
    if (!waiter) {
      waiter = this.#waiter(timeoutMs);
      this.#byXid.set(xid, waiter);
    }
    return waiter.promise;
  }

  #waiter(timeoutMs: number): Waiter {
    if (this.waiters >= (this.#options.maxWaiters ?? 100_000)) throw new TooManyWaiters();
    this.#sweep ??= setInterval(() => this.#look(performance.now()), SWEEP_MS).unref();
    const since = performance.now();
    return {
      lsn: Number.POSITIVE_INFINITY,
      since,
      deadline: since + timeoutMs,
      ...Promise.withResolvers<number | undefined>(),
    };
  }

  /** Those of `byLsn` wait for `lsn` from now on. */
  #until(waiters: readonly Waiter[], lsn: number): void {
    for (const waiter of waiters) waiter.lsn = lsn;
    this.#nextLsn = Math.min(this.#nextLsn, lsn);
    this.#move(this.#position);
    if (lsn > this.#position.lsn) this.#options.poke();
  }

  /** One timer for all waits: turns waits for a late transaction id into waits for the log's end, and ends those over time. */
  #look(now: number): void {
    if (this.waiters === 0) {
      this.close();
      return;
    }
    const late: Waiter[] = [];
    for (const [xid, waiter] of this.#byXid) {
      if (now - waiter.since < XID_PATIENCE_MS) break; // in the order of their coming
      this.#byXid.delete(xid);
      late.push(waiter);
    }
    if (late.length > 0) this.#waitForEnd(late);
    this.#settle((waiter) => waiter.deadline <= now, undefined);
    if (this.#byLsn.length > 0) this.#options.poke();
  }

  /** The log's flushed end lies at or after the commits of `late`: once it is applied, so are they. */
  #waitForEnd(late: readonly Waiter[]): void {
    this.#byLsn.push(...late); // meanwhile too they are counted, and end in time
    this.#options.flushedLsn().then(
      (lsn) => this.#until(late, lsn),
      () => this.#settle((waiter) => late.includes(waiter), undefined), // the record is away: nothing to wait for
    );
  }
}
