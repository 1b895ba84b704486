import type { Transaction } from '../changes/change.ts';
import { formatPosition, type Position } from '../changes/position.ts';
import { EventLog } from './event-log.ts';
import type { EventTopic, TopicEvents } from './live.ts';
import { EncodedMessage } from './message.ts';
import { admit, isAdmitted, Subscribers } from './subscribers.ts';
import type { Channel } from './topic-hub.ts';
import type { SubscribeOptions, Subscription } from './topics.ts';

const KEEP_BYTES = 8 * 1024 * 1024;
/** Transactions whose events are being asked for. */
const MAX_PENDING = 10_000;
/** How long a topic that is kept `whileFollowed` waits for its followers to come back. */
const ABANDONED_MS = 60_000;

export interface EventChannelOptions {
  readonly path: string;
  readonly topic: EventTopic;
  position(): Position;
  /** Told of events that did not come; the subscribers start anew. */
  failed(error: unknown): void;
  /** Milliseconds, from any start. */
  readonly now?: () => number;
}

interface Follower extends SubscribeOptions {
  /** What ends up to this LSN it has already: it came from a later position than is published here. -1 for nothing. */
  has: number;
}

/** Sends what happened, one message a transaction and key, and keeps the last of them for those who come back. */
export class EventChannel implements Channel {
  readonly #path: string;
  readonly #topic: EventTopic;
  readonly #position: () => Position;
  readonly #followers = new Subscribers<Follower>();
  readonly #log: EventLog;
  readonly #failed: (error: unknown) => void;
  /** Ends when everything before is published. */
  #last: Promise<void> = Promise.resolve();
  #pending = 0;
  /** Goes up when what is pending is not to be published any more. */
  #edition = 0;

  readonly #now: () => number;
  /** When it had a follower last. */
  #followedAt = Number.NEGATIVE_INFINITY;

  constructor(options: EventChannelOptions) {
    this.#path = options.path;
    this.#topic = options.topic;
    this.#position = options.position;
    this.#failed = options.failed;
    this.#now = options.now ?? (() => performance.now());
    this.#log = new EventLog(options.topic.keepBytes ?? KEEP_BYTES);
  }

  get subscribers(): number {
    return this.#followers.count;
  }

  async subscribe(key: string, options: SubscribeOptions): Promise<Subscription> {
    admit(this.#topic.authorize, key, options.user);
    const remove = this.#followers.add(key, { ...options, has: this.#resume(key, options) });
    const unsubscribe = () => {
      remove();
      this.#followedAt = this.#now();
    };
    return { unsubscribe };
  }

  transaction(transaction: Transaction, position: string): void {
    if (this.#abandoned) {
      this.#log.restart(transaction.lsn);
      return;
    }
    const found = transaction.changes.map((change) => this.#topic.events(change));
    if (this.#pending === 0 && !found.some(isLate)) this.#publishAll(found as TopicEvents[], transaction.lsn, position);
    else this.#publishLater(found, transaction.lsn, position);
  }

  get #abandoned(): boolean {
    if (!this.#topic.whileFollowed || this.subscribers > 0 || this.#pending > 0) return false;
    return this.#now() - this.#followedAt > ABANDONED_MS;
  }

  /** In commit order, whatever comes first. */
  #publishLater(found: readonly (TopicEvents | Promise<TopicEvents>)[], lsn: number, position: string): void {
    if (this.#pending >= MAX_PENDING) throw new Error(`the events of ${MAX_PENDING} transactions did not come in time`);
    const edition = this.#edition;
    // What is known is made now, of the views as they are now.
    const all = Promise.all(found.map((events) => (isLate(events) ? events : [...events])));
    all.catch(() => {}); // until its turn has come
    this.#pending++;
    this.#last = this.#last.then(async () => {
      try {
        const events = await all;
        if (edition === this.#edition) this.#publishAll(events, lsn, position);
      } catch (error) {
        if (edition === this.#edition) this.#fail(error);
      } finally {
        this.#pending--;
      }
    });
  }

  #fail(error: unknown): void {
    this.#failed(error);
    this.resync(formatPosition(this.#position()));
  }

  #publishAll(found: readonly TopicEvents[], lsn: number, position: string): void {
    const events = new Map<string, unknown[]>();
    for (const each of found) {
      for (const { key, data } of each) {
        const list = events.get(key);
        if (list) list.push(data);
        else events.set(key, [data]);
      }
    }
    for (const [key, data] of events) this.#publish(key, lsn, position, JSON.stringify(data));
  }

  signal(key: string, data: unknown): void {
    const followers = this.#followers.of(key);
    if (!followers) return;
    const position = formatPosition(this.#position());
    const message = new EncodedMessage({
      topic: `${this.#path}/${key}`,
      event: 'signal',
      position,
      previous: this.#log.lastOf(key),
      data: JSON.stringify(data),
    });
    for (const follower of followers) this.#deliver(key, follower, message);
  }

  resync(position: string): void {
    this.#edition++;
    this.#log.restart(this.#position().lsn);
    for (const [key, followers] of this.#followers.keys) {
      const message = this.#resyncMessage(key, position);
      for (const follower of followers) {
        follower.has = -1; // where it came from may lie in another log
        follower.deliver(message);
      }
    }
  }

  close(): void {
    this.#edition++;
  }

  #publish(key: string, lsn: number, position: string, data: string): void {
    const previous = this.#log.lastOf(key);
    const message = new EncodedMessage({ topic: `${this.#path}/${key}`, event: 'event', position, previous, data });
    this.#log.append(key, lsn, message);
    for (const follower of this.#followers.of(key) ?? []) if (lsn > follower.has) this.#deliver(key, follower, message);
  }

  #deliver(key: string, follower: SubscribeOptions, message: EncodedMessage): void {
    if (isAdmitted(this.#topic.authorize, key, follower.user)) follower.deliver(message);
  }

  /** Delivers what came after `from`, or word that it is not known any more; returns the LSN up to which the subscriber has everything. */
  #resume(key: string, { from, deliver }: SubscribeOptions): number {
    if (!from) return -1;
    const now = this.#position();
    if (from.epoch !== now.epoch || !this.#log.reaches(from.lsn)) {
      deliver(this.#resyncMessage(key, formatPosition(now)));
      return -1;
    }
    for (const message of this.#log.after(key, from.lsn)) deliver(message);
    return from.lsn;
  }

  #resyncMessage(key: string, position: string): EncodedMessage {
    return new EncodedMessage({
      topic: `${this.#path}/${key}`,
      event: 'resync',
      position,
      previous: null,
      data: 'null',
    });
  }
}

function isLate(events: TopicEvents | Promise<TopicEvents>): events is Promise<TopicEvents> {
  return events instanceof Promise;
}
