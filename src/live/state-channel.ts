import type { Transaction } from '../changes/change.ts';
import { formatPosition } from '../changes/position.ts';
import type { Answer, StateTopic } from './live.ts';
import { EncodedMessage } from './message.ts';
import { admit, isAdmitted, Subscribers } from './subscribers.ts';
import type { Channel } from './topic-hub.ts';
import type { SubscribeOptions, Subscription } from './topics.ts';

interface Follower extends SubscribeOptions {
  /** LSN of the state delivered last: an older one that was read earlier must not overtake it. */
  lsn: number;
  /** The state delivered last: a change that does not show is not sent. */
  data: string | null;
}

const EVERY_MS = 50;

/** Sends whole states: to a new subscriber at once, to all after a change, at most once in a while for each key. */
export class StateChannel implements Channel {
  readonly #path: string;
  readonly #topic: StateTopic;
  readonly #followers = new Subscribers<Follower>();
  readonly #followed = new Set<string>();
  readonly #dirty = new Set<string>();
  /** Position of the last message to all followers of a key. */
  readonly #last = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #flushedAt = 0;
  /** Goes up when everything is read anew, maybe of another log: what was read before is not to come after it. */
  #edition = 0;

  constructor(options: { path: string; topic: StateTopic }) {
    this.#path = options.path;
    this.#topic = options.topic;
  }

  get subscribers(): number {
    return this.#followers.count;
  }

  async subscribe(key: string, options: SubscribeOptions): Promise<Subscription> {
    admit(this.#topic.authorize, key, options.user);
    const follower = { ...options, lsn: -1, data: null };
    const remove = this.#followers.add(key, follower); // before reading: a change meanwhile is not missed
    this.#followed.add(key);
    const unsubscribe = () => {
      remove();
      if (!this.#followers.of(key)) this.#forget(key);
    };
    try {
      const { results, position } = await this.#read(key);
      const message = this.#encode(key, JSON.stringify(results), formatPosition(position));
      deliver(follower, message, position.lsn);
      return { unsubscribe };
    } catch (error) {
      unsubscribe();
      throw error;
    }
  }

  transaction(transaction: Transaction): void {
    if (this.#followed.size === 0) return;
    for (const change of transaction.changes) {
      for (const key of this.#topic.touchedBy(change, this.#followed)) this.#touch(key);
      if (this.#dirty.size === this.#followed.size) break;
    }
  }

  resync(): void {
    this.#edition++;
    for (const key of this.#followed) this.#touch(key);
    for (const [, followers] of this.#followers.keys) for (const follower of followers) follower.lsn = -1;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #touch(key: string): void {
    if (!this.#followed.has(key)) return;
    this.#dirty.add(key);
    const due = this.#flushedAt + (this.#topic.everyMs ?? EVERY_MS) - performance.now();
    this.#timer ??= setTimeout(() => this.#flush(), Math.max(0, due));
  }

  #flush(): void {
    this.#timer = undefined;
    this.#flushedAt = performance.now();
    const keys = [...this.#dirty];
    this.#dirty.clear();
    for (const key of keys) this.#send(key).catch(() => this.#touch(key)); // the record is away: again in a moment
  }

  async #send(key: string): Promise<void> {
    const { results, position } = await this.#read(key);
    const message = this.#encode(key, JSON.stringify(results), formatPosition(position));
    for (const follower of this.#followers.of(key) ?? []) {
      if (isAdmitted(this.#topic.authorize, key, follower.user)) deliver(follower, message, position.lsn);
    }
    if (this.#followed.has(key)) this.#last.set(key, message.position);
  }

  async #read(key: string): Promise<Answer<unknown>> {
    for (;;) {
      const edition = this.#edition;
      const answer = await this.#topic.read(key);
      if (edition === this.#edition) return answer;
    }
  }

  #encode(key: string, data: string, position: string): EncodedMessage {
    const previous = this.#last.get(key) ?? null;
    return new EncodedMessage({ topic: `${this.#path}/${key}`, event: 'state', position, previous, data });
  }

  #forget(key: string): void {
    this.#followed.delete(key);
    this.#dirty.delete(key);
    this.#last.delete(key);
  }
}

function deliver(follower: Follower, message: EncodedMessage, lsn: number): void {
  if (lsn < follower.lsn || message.data === follower.data) return;
  follower.lsn = lsn;
  follower.data = message.data;
  follower.deliver(message);
}
