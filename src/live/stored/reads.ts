import type { Transaction } from '../../changes/change.ts';
import type { Position } from '../../changes/position.ts';
import { ClientError } from '../../record/errors.ts';
import type { PgRecord } from '../../record/record.ts';
import type { BucketOperation, StoredRead } from '../../views/stored.ts';
import type { ViewDefinition, ViewQuery, ViewStats } from '../../views/view.ts';
import { PositionTimeout } from '../errors.ts';
import type { Answer, ReadOptions } from '../live.ts';
import { StoredLazyReads } from '../stored-lazy-reads.ts';
import type { Watermark } from '../watermark.ts';

type Query = ViewQuery<unknown>;

/** One view in the store, as any node reads it. */
export interface StoreReader {
  /**
   * The answers at one position of the same epoch, not before `at`; undefined where the store cannot give them: it is away, was
   * emptied, is being filled, or fell back.
   */
  read(
    queries: readonly Query[],
    at: Position,
  ): Promise<{ readonly results: unknown[]; readonly lsn: number } | undefined>;
  /** The replies to questions to the buckets, at one position, not before `at`; undefined as in `read`. */
  ask(
    reads: readonly StoredRead[],
    at: Position,
  ): Promise<{ readonly replies: readonly unknown[]; readonly lsn: number } | undefined>;
  /**
   * Runs each operation in its bucket, beside the order of positions; the replies in order. Undefined in the place of one whose
   * bucket is not there, torn, of another generation or epoch than the one served, or before `at`.
   */
  amend(operations: readonly BucketOperation[], at: Position): Promise<readonly unknown[]>;
  /** As of a moment ago. */
  stats(): ViewStats;
}

/** What a node knows of a view that is kept in step for all nodes. */
export interface StoredSide {
  readonly reader: StoreReader;
  /** Whether it is kept in step, as far as this node has heard. */
  inStep(): boolean;
  /** Why the leader could not build it. */
  fault(): string | null;
}

export interface StoredReadsOptions {
  readonly side: StoredSide;
  readonly definition: ViewDefinition<never>;
  readonly record: PgRecord;
  readonly watermark: Watermark;
  readonly waitMs: number;
}

/**
 * Reads of a view in the store: at or after the position that this node knew of when the read began, so never an older answer
 * than one that was given before, whatever became of the store meanwhile.
 */
export class StoredReads {
  readonly side: StoredSide;
  readonly #options: StoredReadsOptions;
  readonly #lazy: StoredLazyReads | null;

  constructor(options: StoredReadsOptions) {
    const { side, definition, record, watermark, waitMs } = options;
    this.#options = options;
    this.side = side;
    this.#lazy =
      definition.lazy && definition.stored?.lazy
        ? new StoredLazyReads({ definition, store: side.reader, record, watermark, waitMs })
        : null;
  }

  /** Undefined where the record must answer. */
  async read(queries: readonly Query[], { from }: ReadOptions): Promise<Answer<unknown[]> | undefined> {
    try {
      return from === 'record' ? await this.#lazy?.readThrough(queries) : await this.#read(queries);
    } catch (error) {
      if (error instanceof ClientError && !(error instanceof PositionTimeout)) throw error;
      return undefined;
    }
  }

  /** What cannot be held now is read when it is asked for. */
  async hold(queries: readonly Query[]): Promise<void> {
    await this.#lazy?.hold(queries).catch(() => {});
  }

  stats(): ViewStats {
    return { ...this.side.reader.stats(), ...this.#lazy?.stats };
  }

  /** A transaction that touches the view is in the store. */
  applied(transaction: Transaction): void {
    this.#lazy?.applied(transaction);
  }

  /** Changes were applied that this node was not told of. */
  missed(): void {
    this.#lazy?.forget();
  }

  /** About once a second. */
  tend(): void {
    this.#lazy?.tend();
  }

  async #read(queries: readonly Query[]): Promise<Answer<unknown[]> | undefined> {
    const { watermark, side } = this.#options;
    const at = watermark.position;
    const found = await (this.#lazy ?? side.reader).read(queries, at);
    if (found) return { results: found.results, position: { epoch: at.epoch, lsn: found.lsn }, source: 'view' };
    return this.#lazy?.readThrough(queries);
  }
}
