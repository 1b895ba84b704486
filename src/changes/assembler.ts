import type { Change } from './change.ts';
import { type FeedHandler, RebuildNeeded } from './feed.ts';
import type { Begin, Commit, LogicalMessage, Message } from './pgoutput/message.ts';
import { formatLsn } from './position.ts';

export interface AssemblerOptions {
  /** The last LSN already applied: what ends at or before it is skipped. */
  readonly from: number;
  readonly handler: Omit<FeedHandler, 'ended'>;
  /** More changes, or bytes of log messages, than these make a transaction a large one. */
  readonly maxChanges: number;
  readonly maxBytes: number;
  /** What a logical message says about the schema of the followed tables, if anything. */
  readonly schemaChange: (message: LogicalMessage) => string | undefined;
  /** A slice was handed out: the next one is for another turn of the event loop. */
  readonly onSlice: () => void;
  /** Nothing more is to be handed out before this. */
  readonly onBusy: (until: Promise<void>) => void;
}

/** Puts the log's messages together to whole transactions, in commit order, and hands them out. No I/O. */
export class Assembler {
  readonly #options: AssemblerOptions;
  readonly #handler: Omit<FeedHandler, 'ended'>;
  /** Everything up to here is delivered. */
  #delivered: number;
  #begin: Begin | null = null;
  #skip = false;
  #large = false;
  #changes: Change[] = [];
  #bytes = 0;
  #schemaChanges: string[] = [];

  constructor(options: AssemblerOptions) {
    this.#options = options;
    this.#handler = options.handler;
    this.#delivered = options.from;
  }

  /** `bytes` is the message's size in the log, undecoded. */
  message(message: Message, bytes: number): void {
    switch (message.op) {
      case 'begin':
        this.#onBegin(message);
        break;
      case 'commit':
        this.#onCommit(message);
        break;
      case 'message':
        this.#onMessage(message);
        break;
      case 'truncates':
        for (const change of message.changes) this.#onChange(change, 0);
        break;
      case 'relation':
        break;
      default:
        this.#onChange(message, bytes);
    }
  }

  /** A followed table is not what it was; said before the transaction that shows it. */
  schemaChanged(detail: string): void {
    if (!this.#skip) this.#schemaChanges.push(detail);
  }

  /**
   * A keepalive: the server has decoded the log up to `lsn` and sent what is committed. Inside a transaction it tells
   * nothing (the rest of the transaction is still to come); an older one neither (CORRECTNESS 2).
   */
  keepalive(lsn: number): void {
    if (this.#begin || lsn < this.#delivered) return;
    this.#delivered = lsn;
    this.#handler.progress(lsn);
  }

  #onBegin(begin: Begin): void {
    if (this.#begin) throw new RebuildNeeded('gap', `transaction ${begin.xid} began inside ${this.#begin.xid}`);
    this.#begin = begin;
    // A commit record begins before and ends after any position: what begins before one ends at it or before.
    this.#skip = begin.commitLsn < this.#options.from;
  }

  #onChange(change: Change, bytes: number): void {
    if (this.#skip) return;
    this.#changes.push(change);
    this.#bytes += bytes;
    if (this.#changes.length > this.#options.maxChanges || this.#bytes > this.#options.maxBytes) this.#slice();
  }

  #slice(): void {
    if (!this.#large) this.#handler.largeBegin(this.#begin!.xid, this.#begin!.commitLsn);
    this.#large = true;
    this.#handler.largeSlice(this.#take());
    this.#options.onSlice();
  }

  #take(): Change[] {
    const changes = this.#changes;
    this.#changes = [];
    this.#bytes = 0;
    return changes;
  }

  #onMessage(message: LogicalMessage): void {
    if (!message.transactional) return;
    const detail = this.#options.schemaChange(message);
    if (detail) this.schemaChanged(detail);
  }

  #onCommit(commit: Commit): void {
    const begin = this.#begin;
    if (begin?.commitLsn !== commit.commitLsn) throw new RebuildNeeded('gap', 'a commit without its begin');
    if (this.#skip ? commit.endLsn > this.#options.from : commit.endLsn <= this.#delivered)
      throw outOfOrder(commit, this);
    this.#begin = null;
    if (this.#skip) return;
    this.#delivered = commit.endLsn;
    this.#deliver(begin.xid, commit);
  }

  #deliver(xid: number, commit: Commit): void {
    const { endLsn: lsn, committedAt } = commit;
    const changes = this.#take();
    if (this.#schemaChanges.length > 0) this.#tellSchemaChanges();
    if (this.#large) {
      if (changes.length > 0) this.#handler.largeSlice(changes);
      const busy = this.#handler.largeEnd({ xid, lsn, committedAt, changes: [] });
      if (busy) this.#options.onBusy(busy);
    } else {
      this.#handler.transaction({ xid, lsn, committedAt, changes });
    }
    this.#large = false;
  }

  #tellSchemaChanges(): void {
    const details = this.#schemaChanges;
    this.#schemaChanges = [];
    for (const detail of details) this.#handler.schemaChanged(detail);
  }

  get delivered(): number {
    return this.#delivered;
  }
}

function outOfOrder(commit: Commit, { delivered }: { delivered: number }): RebuildNeeded {
  return new RebuildNeeded(
    'gap',
    `a transaction ending at ${formatLsn(commit.endLsn)} came after everything up to ${formatLsn(delivered)}`,
  );
}
