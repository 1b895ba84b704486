import { patiently } from './bucket/writer.ts';
import type { ValkeyConnection } from './connection.ts';

export interface WritingOptions {
  readonly connection: ValkeyConnection;
  /** Replicas of each server that must have what is written. */
  readonly replicas: number;
}

/** What a leader writes on, and when that counts. */
export class WritingConnection {
  readonly connection: ValkeyConnection;
  readonly #replicas: number;
  #round: Promise<void> | null = null;

  constructor({ connection, replicas }: WritingOptions) {
    this.connection = connection;
    this.#replicas = replicas;
  }

  /**
   * Resolves when the replicas have everything that was written before; one wait for all who ask in a turn of the event loop.
   * Rejects when they do not have it in time.
   */
  settled(): Promise<void> {
    if (this.#replicas === 0) return Promise.resolve();
    this.#round ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#round = null;
      return patiently(() => this.connection.replicated(this.#replicas));
    });
    return this.#round;
  }
}
