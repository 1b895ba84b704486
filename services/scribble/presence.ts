import type { ClientSocket } from '../../src/index.ts';

/** Milliseconds between two messages about who is here. */
const EVERY_MS = 1000;
/** Names in one of them. */
const MAX_NAMES = 50;

/** Who has the canvas open in this process. Told to clients when it changes, at most once a second. */
export class Presence {
  readonly #sockets = new Set<ClientSocket>();
  readonly #tell: (text: string) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { tell(text: string): void }) {
    this.#tell = options.tell;
  }

  join(socket: ClientSocket): void {
    this.#sockets.add(socket);
    this.changed();
  }

  leave(socket: ClientSocket): void {
    this.#sockets.delete(socket);
    this.changed();
  }

  /** Somebody came, went, or is known by another name. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tell(this.text());
    }, EVERY_MS).unref();
  }

  text(): string {
    const names = new Set<string>();
    for (const { user } of this.#sockets) {
      if (user) names.add(user.username);
      if (names.size === MAX_NAMES) break;
    }
    return JSON.stringify({ here: { count: this.#sockets.size, names: [...names].sort() } });
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
