import type { Logger } from 'pino';
import { type BusMessage, decodeMessage, encodeMessage } from './message.ts';

/** As much of a connection to the store as messages take. */
export interface BusConnection {
  /** Resolves when the server has it; rejects when that is not known. */
  publish(channel: string, message: Buffer): Promise<void>;
  /** Every message of the channel from now on, in order for each sender; some are lost where the connection is. */
  subscribe(channel: string, listener: (message: Buffer) => void): Promise<() => Promise<void>>;
}

export interface BusOptions {
  readonly connection: BusConnection;
  readonly channel: string;
  readonly log: Pick<Logger, 'warn'>;
  receive(message: BusMessage): void;
}

/** The channel on which the nodes of one database tell each other. Nothing on it is relied upon: who missed something notices. */
export class Bus {
  readonly #options: BusOptions;
  #unsubscribe: (() => Promise<void>) | null = null;

  constructor(options: BusOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { connection, channel, receive } = this.#options;
    this.#unsubscribe = await connection.subscribe(channel, (bytes) => {
      const message = decodeMessage(bytes);
      if (message) receive(message);
    });
  }

  async stop(): Promise<void> {
    await this.#unsubscribe?.().catch(() => {});
    this.#unsubscribe = null;
  }

  send(message: BusMessage): void {
    this.sendEncoded(encodeMessage(message));
  }

  sendEncoded(bytes: Buffer): void {
    const { connection, channel, log } = this.#options;
    connection.publish(channel, bytes).catch((error) => log.warn({ err: error }, 'a message to the nodes was lost'));
  }
}
