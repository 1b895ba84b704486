import { setImmediate } from 'node:timers/promises';
import type pg from 'pg';
import { Assembler } from './assembler.ts';
import { type FeedHandler, type FeedSession, RebuildNeeded, type Snapshot } from './feed.ts';
import type { FollowedTable } from './followed-table.ts';
import { PgoutputDecoder } from './pgoutput/decoder.ts';
import type { Relation } from './pgoutput/message.ts';
import type { RowPlan } from './pgoutput/row-plan.ts';
import { ReplicationStream } from './replication-stream.ts';
import { schemaChangeIn } from './schema-message.ts';
import { behindSlot, dropSlot, explain, type SlotOptions } from './slot.ts';
import type { SlotWatch } from './slot-watch.ts';
import type { SqlSession } from './sql-session.ts';
import { leave } from './wire/answer.ts';

export interface FeedSessionOptions {
  readonly slot: SlotOptions;
  readonly epoch: string;
  readonly start: number;
  readonly snapshot: Snapshot | undefined;
  readonly publication: string;
  readonly tables: ReadonlyMap<string, FollowedTable>;
  /** Owned by the session from here on, as are `sql` and `snapshot`. */
  readonly replication: pg.Client;
  readonly sql: SqlSession;
  readonly watch: (onRebuild: (reason: RebuildNeeded) => void) => SlotWatch;
  /** How long the server may take to start the stream. */
  readonly answerMs: number;
  readonly maxTransactionChanges: number;
  readonly maxTransactionBytes: number;
}

/** A use of a slot on PostgreSQL: its snapshot, its stream, and the three connections that they need. */
export class PgFeedSession implements FeedSession {
  readonly slot: SlotOptions;
  readonly epoch: string;
  readonly start: number;
  readonly snapshot?: Snapshot;
  readonly #options: FeedSessionOptions;
  readonly #byOid: ReadonlyMap<number, FollowedTable>;
  readonly #watch: SlotWatch;
  #stream: ReplicationStream | undefined;
  #assembler: Assembler | undefined;
  #handler: FeedHandler | undefined;
  /** Why the slot cannot be followed, known before anybody listens. */
  #fault: Error | undefined;
  #closed: Promise<void> | undefined;
  /** The consumer is full. */
  #paused = false;
  /** The consumer is at work on what was handed out, so many times. */
  #resting = 0;

  constructor(options: FeedSessionOptions) {
    this.#options = options;
    this.slot = options.slot;
    this.epoch = options.epoch;
    this.start = options.start;
    if (options.snapshot) this.snapshot = options.snapshot;
    this.#byOid = new Map([...options.tables.values()].map((table) => [table.facts.oid, table]));
    this.#watch = options.watch((reason) => this.#giveUp(reason));
    options.replication.once('end', () => this.#lostWhileIdle());
  }

  get retainedBytes(): number {
    return this.#watch.retainedBytes;
  }

  get heardAt(): number {
    return this.#stream && !this.#paused && this.#resting === 0 ? this.#stream.heardAt : performance.now();
  }

  async stream(from: number, handler: FeedHandler): Promise<void> {
    if (this.#stream) throw new Error('this session streams already');
    if (from < this.start) throw behindSlot(from, this.start);
    await this.snapshot?.close();
    if (this.#fault) throw this.#fault;
    if (this.#closed) throw new Error('the session is closed');
    this.#handler = handler;
    this.#stream = this.#open(from, handler);
    try {
      await this.#stream.start();
    } catch (error) {
      this.#handler = undefined;
      throw this.#fault ?? (await this.#explained(error as Error));
    }
  }

  acknowledge(lsn: number): void {
    this.#stream?.acknowledge(lsn);
  }

  poke(): void {
    this.#stream?.poke();
  }

  pause(): void {
    this.#paused = true;
    this.#stream?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#resting === 0) this.#stream?.resume();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#handler = undefined;
    this.#watch.stop();
    await Promise.all([
      this.snapshot?.close(),
      this.#stream ? this.#stream.close() : leave(this.#options.replication),
      this.#options.sql.close(),
    ]);
  }

  #open(from: number, handler: FeedHandler): ReplicationStream {
    const {
      replication: client,
      slot,
      publication,
      answerMs,
      maxTransactionChanges,
      maxTransactionBytes,
    } = this.#options;
    const decoder = new PgoutputDecoder({ planRelation: (relation) => this.#planRelation(relation) });
    const assembler = new Assembler({
      from,
      handler,
      maxChanges: maxTransactionChanges,
      maxBytes: maxTransactionBytes,
      schemaChange: (message) => schemaChangeIn(message, publication, this.#byOid),
      onSlice: () => this.#rest(setImmediate()),
      onBusy: (until) => this.#rest(until),
    });
    this.#assembler = assembler;
    return new ReplicationStream({
      client,
      slot: slot.name,
      publication,
      from,
      answerMs,
      onData: (bytes, start, end) => {
        const message = decoder.decode(bytes, start);
        if (message) assembler.message(message, end - start);
      },
      onKeepalive: (lsn) => assembler.keepalive(lsn),
      onEnd: (error) => this.#ended(error),
    });
  }

  /** A slice of a large transaction has been applied, or all of it is being merged: everything else gets its turn before the next. */
  #rest(until: Promise<void>): void {
    this.#resting++;
    this.#stream!.pause();
    until.then(() => {
      if (--this.#resting === 0 && !this.#paused) this.#stream!.resume();
    });
  }

  #planRelation(relation: Relation): RowPlan | undefined {
    const followed = this.#byOid.get(relation.oid);
    if (!followed) {
      if (this.#options.tables.has(relation.name)) this.#assembler!.schemaChanged(`${relation.name} was made anew`);
      return undefined;
    }
    const { plan, changed } = followed.relation(relation);
    if (changed) this.#assembler!.schemaChanged(changed);
    return plan;
  }

  async #ended(error: Error): Promise<void> {
    const explained = await this.#explained(error);
    const handler = this.#handler;
    this.#handler = undefined;
    this.#watch.stop();
    handler?.ended(explained);
  }

  /** The slot is lost, or keeps too much: a durable one is given back, so that it fills nobody's disk. */
  async #giveUp(reason: RebuildNeeded): Promise<void> {
    if (this.#fault) return;
    this.#fault = reason;
    const handler = this.#handler;
    this.#handler = undefined;
    this.#watch.stop();
    await (this.#stream ? this.#stream.close() : leave(this.#options.replication));
    if (reason.reason === 'wal limit' && !this.slot.temporary) await this.#drop();
    handler?.ended(reason);
  }

  async #drop(): Promise<void> {
    await dropSlot(this.#options.sql.ask, this.slot.name).catch(() => {}); // the next to open it finds it over its limit too
  }

  #lostWhileIdle(): void {
    if (this.#stream || this.#closed || this.#fault) return;
    this.#fault = this.#lost('the replication connection ended before the stream was started');
  }

  async #explained(error: Error): Promise<Error> {
    if (error instanceof RebuildNeeded) return error;
    const explained = await explain(error, this.slot.name, this.#options.sql.ask);
    return explained === error && this.slot.temporary ? this.#lost(error.message) : explained;
  }

  /** A temporary slot ends with its connection. */
  #lost(detail: string): Error {
    if (!this.slot.temporary) return new Error(detail);
    return new RebuildNeeded('slot lost', `temporary replication slot "${this.slot.name}": ${detail}`);
  }
}
