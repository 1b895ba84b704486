import type { Transaction } from '../changes/change.ts';
import { formatPosition, type Position } from '../changes/position.ts';
import type { SignalTopic } from './live.ts';
import { EncodedMessage } from './message.ts';
import { admit, isAdmitted, Subscribers } from './subscribers.ts';
import type { Channel } from './topic-hub.ts';
import type { SubscribeOptions, Subscription } from './topics.ts';

/** Runs a topic's watches: one for each key, while it has followers. */
export class SignalChannel implements Channel {
  readonly #path: string;
  readonly #topic: SignalTopic;
  readonly #position: () => Position;
  readonly #followers = new Subscribers<SubscribeOptions>();
  readonly #watches = new Map<string, () => void>();

  constructor(options: { path: string; topic: SignalTopic; position: () => Position }) {
    this.#path = options.path;
    this.#topic = options.topic;
    this.#position = options.position;
  }

  get subscribers(): number {
    return this.#followers.count;
  }

  async subscribe(key: string, options: SubscribeOptions): Promise<Subscription> {
    admit(this.#topic.authorize, key, options.user);
    const remove = this.#followers.add(key, options);
    try {
      if (!this.#watches.has(key))
        this.#watches.set(
          key,
          this.#topic.watch(key, (data) => this.#send(key, data)),
        );
    } catch (error) {
      remove();
      throw error;
    }
    return {
      unsubscribe: () => {
        remove();
        if (!this.#followers.of(key)) this.#end(key);
      },
    };
  }

  transaction(_transaction: Transaction): void {}

  resync(): void {}

  close(): void {
    for (const key of [...this.#watches.keys()]) this.#end(key);
  }

  #end(key: string): void {
    this.#watches.get(key)?.();
    this.#watches.delete(key);
  }

  #send(key: string, data: unknown): void {
    const message = new EncodedMessage({
      topic: `${this.#path}/${key}`,
      event: 'signal',
      position: formatPosition(this.#position()),
      previous: null,
      data: JSON.stringify(data),
    });
    for (const follower of [...(this.#followers.of(key) ?? [])]) {
      if (isAdmitted(this.#topic.authorize, key, follower.user)) follower.deliver(message);
    }
  }
}
