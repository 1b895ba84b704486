import type { Transaction } from '../changes/change.ts';
import { formatPosition, type Position } from '../changes/position.ts';
import { EventLog } from './event-log.ts';
import type { EventTopic } from './live.ts';
import { EncodedMessage } from './message.ts';
import { admit, isAdmitted, Subscribers } from './subscribers.ts';
import type { Channel } from './topic-hub.ts';
import type { SubscribeOptions, Subscription } from './topics.ts';

const KEEP_BYTES = 8 * 1024 * 1024;

/** Sends what happened, one message a transaction and key, and keeps the last of them for those who come back. */
export class EventChannel implements Channel {
  readonly #path: string;
  readonly #topic: EventTopic;
  readonly #position: () => Position;
  readonly #followers = new Subscribers<SubscribeOptions>();
  readonly #log: EventLog;

  constructor(options: { path: string; topic: EventTopic; position: () => Position }) {
    this.#path = options.path;
    this.#topic = options.topic;
    this.#position = options.position;
    this.#log = new EventLog(options.topic.keepBytes ?? KEEP_BYTES);
  }

  get subscribers(): number {
    return this.#followers.count;
  }

  async subscribe(key: string, options: SubscribeOptions): Promise<Subscription> {
    admit(this.#topic.authorize, key, options.user);
    if (options.from) this.#resume(key, options.from, options);
    return { unsubscribe: this.#followers.add(key, options) };
  }

  transaction(transaction: Transaction, position: string): void {
    const events = new Map<string, unknown[]>();
    for (const change of transaction.changes) {
      for (const { key, data } of this.#topic.events(change)) {
        const list = events.get(key);
        if (list) list.push(data);
        else events.set(key, [data]);
      }
    }
    for (const [key, data] of events) this.#publish(key, transaction.lsn, position, JSON.stringify(data));
  }

  resync(position: string): void {
    this.#log.restart(this.#position().lsn);
    for (const [key, followers] of this.#followers.keys) {
      const message = this.#resyncMessage(key, position);
      for (const follower of followers) follower.deliver(message);
    }
  }

  close(): void {}

  #publish(key: string, lsn: number, position: string, data: string): void {
    const previous = this.#log.lastOf(key);
    const message = new EncodedMessage({ topic: `${this.#path}/${key}`, event: 'event', position, previous, data });
    this.#log.append(key, lsn, message);
    for (const follower of this.#followers.of(key) ?? []) {
      if (isAdmitted(this.#topic.authorize, key, follower.user)) follower.deliver(message);
    }
  }

  /** What came after `from`, or word that it is not known any more. */
  #resume(key: string, from: Position, { deliver }: SubscribeOptions): void {
    const now = this.#position();
    if (from.epoch !== now.epoch || !this.#log.reaches(from.lsn)) {
      deliver(this.#resyncMessage(key, formatPosition(now)));
      return;
    }
    for (const message of this.#log.after(key, from.lsn)) deliver(message);
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
