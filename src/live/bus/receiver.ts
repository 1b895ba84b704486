import type { Transaction } from '../../changes/change.ts';
import type { Watermark } from '../watermark.ts';
import type { Changes, Heartbeat, LeaderMessage } from './message.ts';

/** The views are not answered from when the leader was not heard for so long: five heartbeats. */
export const SILENCE_MS = 1000;

export interface ReceiverOptions {
  readonly watermark: Watermark;
  /** A transaction is in the views; the watermark has moved. */
  applied(transaction: Transaction): void;
  /** What happened is not known change by change. */
  resync(): void;
  /** Transactions were passed over that this process was not told of, some of which may not be visible to SQL yet. */
  missed(): void;
  /** `performance.now()`, injected by tests. */
  readonly clock?: () => number;
}

/**
 * What a node makes of the leader's messages, its own lead included: moves the watermark, hands the changes on, in order, each
 * once. A message that does not begin where this node stands is a gap, and everything is read anew (CORRECTNESS 20).
 */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #clock: () => number;
  #joined = false;
  #heardAt = Number.NEGATIVE_INFINITY;
  /** The last heartbeat of the present leader. */
  heartbeat: Heartbeat | null = null;
  /** The highest leader's epoch seen. */
  leader = 0;
  transactions = 0;
  changes = 0;
  /** Times something was missed. */
  gaps = 0;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** Whether the leader follows the record, and was heard just now: the views are as new as they get. */
  get inStep(): boolean {
    return this.#joined && this.heartbeat?.following === true && this.#clock() - this.#heardAt < SILENCE_MS;
  }

  receive(message: LeaderMessage): void {
    if (message.leader < this.leader) return;
    if (message.leader > this.leader) {
      this.leader = message.leader;
      this.heartbeat = null;
    }
    this.#heardAt = this.#clock();
    if (message.type === 'changes') this.#changes(message);
    else if (message.type === 'resync') this.#resync(message.epoch, message.next);
    else if (message.type === 'heartbeat') this.#heartbeat(message);
  }

  #changes(message: Changes): void {
    const { watermark } = this.#options;
    const { epoch, lsn } = watermark.position;
    if (!this.#joined || message.epoch !== epoch || message.previous > lsn) {
      this.#skipTo(message.epoch, message.next);
      return;
    }
    // A new leader begins where the old one was known to have been: some of it is known.
    for (const transaction of message.transactions) if (transaction.lsn > lsn) this.#apply(transaction);
    watermark.progress(message.next);
  }

  #apply(transaction: Transaction): void {
    this.transactions++;
    this.changes += transaction.changes.length;
    this.#options.watermark.transaction(transaction.xid, transaction.lsn);
    this.#options.applied(transaction);
  }

  #heartbeat(message: Heartbeat): void {
    this.heartbeat = message;
    if (!message.following) return;
    const { epoch, lsn } = this.#options.watermark.position;
    if (!this.#joined || message.epoch !== epoch || message.position > lsn)
      this.#skipTo(message.epoch, message.position);
  }

  #skipTo(epoch: string, lsn: number): void {
    if (this.#joined) this.gaps++;
    this.#resync(epoch, lsn);
  }

  #resync(epoch: string, lsn: number): void {
    const { watermark, missed, resync } = this.#options;
    this.#joined = true;
    if (epoch !== watermark.position.epoch) watermark.restart({ epoch, lsn });
    else watermark.progress(lsn);
    missed();
    resync();
  }
}
