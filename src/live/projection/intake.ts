import type { Change, Transaction } from '../../changes/change.ts';
import { type FeedHandler, RebuildNeeded } from '../../changes/feed.ts';
import { AbsentKeys, PendingTable } from '../../views/projection/pending.ts';
import type { ProjectionDefinition } from '../../views/projection/projection.ts';
import { letterName } from './letters.ts';

export interface Batch {
  readonly tables: readonly PendingTable[];
  /** Everything up to here is in it. */
  readonly lsn: number;
  /** The transactions in it. */
  readonly xids: readonly number[];
  /** False in the middle of a large transaction. */
  readonly whole: boolean;
}

export interface IntakeOptions {
  readonly definition: ProjectionDefinition;
  /** Where the stream begins. */
  readonly lsn: number;
  /** Keys that dead letters hold back. */
  readonly held: ReadonlySet<string>;
  /** There is something to write. */
  wake(): void;
  ended(error: Error): void;
}

/** Takes the stream in: what the transactions since the last batch make of the target's rows, each key once. */
export class Intake implements FeedHandler {
  readonly #options: IntakeOptions;
  readonly #bySource = new Map<string, number[]>();
  readonly #absent: readonly AbsentKeys[];
  #tables: PendingTable[];
  #xids: number[] = [];
  #inLarge = false;
  #large = 0;
  #held: ReadonlySet<string>;
  /** The end of the last whole transaction, or what a keepalive told. */
  lsn: number;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.lsn = options.lsn;
    this.#held = options.held;
    this.#absent = options.definition.tables.map(() => new AbsentKeys());
    this.#tables = this.#empty();
    options.definition.tables.forEach(({ source }, i) => {
      this.#bySource.set(source, [...(this.#bySource.get(source) ?? []), i]);
    });
  }

  get size(): number {
    return this.#tables.reduce((sum, { rows, truncated }) => sum + rows.size + Number(truncated), 0);
  }

  set held(held: ReadonlySet<string>) {
    this.#held = held;
  }

  /**
   * What there is by now. In the middle of a large transaction that is a part of it, and the position stays before it: after a
   * crash it comes again, and the same rows are written again.
   */
  take(): Batch {
    const tables = this.#tables;
    const xids = this.#xids;
    this.#tables = this.#empty();
    this.#xids = [];
    return { tables, lsn: this.lsn, xids, whole: !this.#inLarge };
  }

  transaction({ xid, lsn, changes }: Transaction): void {
    this.lsn = lsn;
    if (changes.length === 0) return;
    this.#add(xid, changes);
    this.#options.wake();
  }

  largeBegin(xid: number): void {
    this.#inLarge = true;
    this.#large = xid;
  }

  largeSlice(changes: readonly Change[]): void {
    this.#add(this.#large, changes);
    this.#options.wake();
  }

  largeEnd({ lsn }: Transaction): void {
    this.#inLarge = false;
    this.lsn = lsn;
    this.#options.wake();
  }

  progress(lsn: number): void {
    if (!this.#inLarge && lsn > this.lsn) this.lsn = lsn;
  }

  schemaChanged(detail: string): void {
    this.#options.ended(new RebuildNeeded('schema changed', detail));
  }

  ended(error: Error): void {
    this.#options.ended(error);
  }

  #add(xid: number, changes: readonly Change[]): void {
    if (this.#xids.at(-1) !== xid) this.#xids.push(xid);
    const { definition } = this.#options;
    for (const change of changes) {
      for (const i of this.#bySource.get(change.table.name) ?? []) {
        const { target } = definition.tables[i]!;
        this.#tables[i]!.add(change, (name) => this.#held.has(letterName(target, name)));
      }
    }
  }

  #empty(): PendingTable[] {
    return this.#options.definition.tables.map((table, i) => new PendingTable(table, this.#absent[i]!));
  }
}
