import type { ValkeyAddress } from '../url.ts';
import { type Client, Link } from './link.ts';

/** Hears a channel's messages. */
export type Listener = (message: Buffer) => void;

interface Subscription {
  readonly channel: string;
  readonly listener: Listener;
  subscribed(): void;
}

/**
 * Messages of channels, on a connection of their own, subscribed to again whenever that was lost: what is sent meanwhile is
 * missed. A cluster hands every message to each of its servers, so that any of them will do.
 */
export class Subscriber {
  readonly #link: Link;
  readonly #subscriptions = new Set<Subscription>();
  #client: Client | null = null;

  constructor(address: ValkeyAddress) {
    const { hosts } = address;
    this.#link = new Link({ address, hosts, connected: (client) => this.#connected(client) });
  }

  /** Resolves when subscribed; `subscribed` is called then, and each time again after messages may have been missed. */
  async subscribe(channel: string, listener: Listener, subscribed: () => void): Promise<() => Promise<void>> {
    const first = Promise.withResolvers<void>();
    const both = () => {
      first.resolve();
      subscribed();
    };
    const subscription: Subscription = {
      channel,
      listener: (message) => {
        if (this.#subscriptions.has(subscription)) listener(message);
      },
      subscribed: both,
    };
    this.#subscriptions.add(subscription);
    if (this.#link.isUp) await subscribe(this.#client!, subscription).catch(() => {}); // with the next connection
    await first.promise;
    return async () => {
      this.#subscriptions.delete(subscription);
      // Nobody waits for it: a client whose connection is lost never answers.
      if (this.#link.isUp) this.#client!.unsubscribe(channel, subscription.listener, true).catch(() => {});
    };
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  async #connected(client: Client): Promise<void> {
    this.#client = client;
    for (const subscription of this.#subscriptions) await subscribe(client, subscription);
  }
}

async function subscribe(client: Client, { channel, listener, subscribed }: Subscription): Promise<void> {
  await client.subscribe(channel, listener, true);
  subscribed();
}
