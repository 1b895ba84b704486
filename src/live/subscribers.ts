import { ClientError } from '../record/errors.ts';
import type { TopicUser } from './live.ts';
import type { SubscribeOptions } from './topics.ts';

/** Subscribers by key. Holds no key without a subscriber. */
export class Subscribers<T extends SubscribeOptions> {
  readonly #byKey = new Map<string, Set<T>>();
  count = 0;

  get keys(): ReadonlyMap<string, ReadonlySet<T>> {
    return this.#byKey;
  }

  of(key: string): ReadonlySet<T> | undefined {
    return this.#byKey.get(key);
  }

  /** Adds one; the returned function takes it away again. */
  add(key: string, subscriber: T): () => void {
    const set = this.#byKey.get(key) ?? new Set<T>();
    this.#byKey.set(key, set.add(subscriber));
    this.count++;
    return () => {
      if (!set.delete(subscriber)) return;
      this.count--;
      if (set.size === 0) this.#byKey.delete(key);
    };
  }
}

type Authorize = ((key: string, user: TopicUser | null) => boolean) | undefined;

/** Asked again for each message: what a user may follow changes. */
export function isAdmitted(authorize: Authorize, key: string, user: TopicUser | null): boolean {
  return !authorize || authorize(key, user);
}

/** Throws 401 or 403 where `authorize` refuses. */
export function admit(authorize: Authorize, key: string, user: TopicUser | null): void {
  if (isAdmitted(authorize, key, user)) return;
  if (user) throw new ClientError(403, 'This topic is not yours to follow.');
  throw new ClientError(401, 'Following this topic needs a token.');
}
