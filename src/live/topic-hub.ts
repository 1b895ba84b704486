import type { Transaction } from '../changes/change.ts';
import { formatPosition, type Position } from '../changes/position.ts';
import { ClientError } from '../record/errors.ts';
import { EventChannel } from './event-channel.ts';
import type { LiveListener, Topic } from './live.ts';
import { SignalChannel } from './signal-channel.ts';
import { StateChannel } from './state-channel.ts';
import type { SubscribeOptions, Subscription, Topics } from './topics.ts';

/** What one topic does with the stream; state and event topics differ. */
export interface Channel {
  subscribe(key: string, options: SubscribeOptions): Promise<Subscription>;
  /** A transaction is applied by every view. */
  transaction(transaction: Transaction, position: string): void;
  /** What happened is not known change by change: every subscriber starts anew. */
  resync(position: string): void;
  /** Sends what is no change, to those who are there. */
  signal?(key: string, data: unknown): void;
  readonly subscribers: number;
  close(): void;
}

/** What a listener is called where it fails. */
const LISTENER = 'a listener of the stream';
const NOTHING = () => {};

/** All topics of a process: hands each applied transaction to them, finds the one a subscriber names. */
export class TopicHub implements Topics {
  readonly #channels = new Map<string, Channel>();
  readonly #listeners = new Set<LiveListener>();
  readonly #position: () => Position;
  readonly #failed: (topic: string, error: unknown) => void;
  readonly #now: (() => number) | undefined;

  /** `failed` is told what a service's own topic or listener threw; it starts anew, the others and the views go on. */
  constructor(options: { position(): Position; failed?(topic: string, error: unknown): void; now?: () => number }) {
    this.#position = options.position;
    this.#now = options.now;
    this.#failed = options.failed ?? (() => {});
  }

  add(service: string, topics: Readonly<Record<string, Topic>>): void {
    for (const [name, topic] of Object.entries(topics)) {
      const path = `${service}/${name}`;
      const failed = (error: unknown) => this.#failed(path, error);
      this.#channels.set(
        path,
        channelOf(topic, { path, position: this.#position, failed, ...(this.#now && { now: this.#now }) }),
      );
    }
  }

  /** A service's topics. */
  namesOf(service: string): string[] {
    const paths = [...this.#channels.keys()].filter((path) => path.startsWith(`${service}/`));
    return paths.map((path) => path.slice(service.length + 1));
  }

  /** See `Live.follow`. */
  follow(listener: LiveListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get subscribers(): number {
    let sum = 0;
    for (const channel of this.#channels.values()) sum += channel.subscribers;
    return sum;
  }

  async subscribe(topic: string, options: SubscribeOptions): Promise<Subscription> {
    const [, path, key] = /^([^/]+\/[^/]+)\/(.{1,200})$/.exec(topic) ?? [];
    const channel = path === undefined ? undefined : this.#channels.get(path);
    if (!channel) {
      const known = [...this.#channels.keys()].map((name) => `${name}/<key>`).join(', ') || 'none';
      throw new ClientError(404, `There is no topic ${JSON.stringify(topic.slice(0, 100))}. Topics: ${known}.`);
    }
    return channel.subscribe(key!, options);
  }

  transaction(transaction: Transaction): void {
    if (transaction.changes.length === 0) return;
    for (const listener of this.#listeners)
      this.#guard(
        LISTENER,
        () => listener.transaction(transaction),
        () => listener.resync(),
      );
    if (this.#channels.size === 0) return;
    const position = formatPosition({ epoch: this.#position().epoch, lsn: transaction.lsn });
    for (const [path, channel] of this.#channels)
      this.#guard(
        path,
        () => channel.transaction(transaction, position),
        () => channel.resync(position),
      );
  }

  /** What a service does with the stream must not end it: what throws is told of, and starts anew where it can. */
  #guard(name: string, work: () => void, startAnew: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failed(name, error);
      try {
        startAnew();
      } catch (again) {
        this.#failed(name, again);
      }
    }
  }

  /** Throws where the topic is none of events: a fault of the service. */
  signal(topic: string, key: string, data: unknown): void {
    const channel = this.#channels.get(topic);
    if (!channel?.signal) throw new Error(`${topic} is no topic of events: there is nobody to signal to`);
    channel.signal(key, data);
  }

  resync(): void {
    for (const listener of this.#listeners) this.#guard(LISTENER, () => listener.resync(), NOTHING);
    const position = formatPosition(this.#position());
    for (const [path, channel] of this.#channels) this.#guard(path, () => channel.resync(position), NOTHING);
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close();
  }
}

function channelOf(
  topic: Topic,
  options: { path: string; position: () => Position; failed(error: unknown): void; now?: () => number },
): Channel {
  if (topic.type === 'state') return new StateChannel({ ...options, topic });
  return topic.type === 'events' ? new EventChannel({ ...options, topic }) : new SignalChannel({ ...options, topic });
}
