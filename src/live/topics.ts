import type { Position } from '../changes/position.ts';
import type { TopicUser } from './live.ts';
import type { EncodedMessage } from './message.ts';

export type { EncodedMessage } from './message.ts';

export interface SubscribeOptions {
  /** Resume after this position; without it (or null) from now on, a state topic with its state first. */
  readonly from?: Position | null;
  readonly user: TopicUser | null;
  /** Called in commit order, synchronously; must not throw. The transport bounds what it queues. */
  deliver(message: EncodedMessage): void;
}

export interface Subscription {
  unsubscribe(): void;
}

/** What transports need of the topics. */
export interface Topics {
  /**
   * Follows `<service>/<topic>/<key>`. Rejects with `ClientError`: 404 (no such topic), 400 (a key that is none),
   * 401 and 403 (not for this user).
   */
  subscribe(topic: string, options: SubscribeOptions): Promise<Subscription>;
  readonly subscribers: number;
}
