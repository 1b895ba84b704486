/** One node, as it tells of itself. */
export interface NodeStatus {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** Where it serves; null for a command that opened Lockstep for itself. */
  readonly url: string | null;
  /** Milliseconds since 1970, by the store's clock, like `seen`. */
  readonly started: number;
  readonly seen: number;
  /** Up to where it has heard of everything; null before it has heard anything. */
  readonly position: string | null;
  /** Whether it follows the record, for all of them. */
  readonly leading: boolean;
  /** Whether it answers from the views. */
  readonly ready: boolean;
}

/** As much of a connection to the store as the registry takes. */
export interface RegistryConnection {
  command(...args: readonly string[]): Promise<unknown>;
}

export interface RegistryOptions {
  readonly connection: RegistryConnection;
  readonly id: string;
  /** What this node tells now. */
  self(): Omit<NodeStatus, 'id' | 'seen' | 'started'>;
  /** The key of the table of nodes. */
  readonly key: string;
  /** Once a second unless told. */
  readonly everyMs?: number;
}

/** A node that has not told of itself for so long is not there any more. */
const GONE_MS = 10_000;

/** The nodes of a store: each tells of itself once a second, and reads of the others. Times are the store's: clocks differ. */
export class Registry {
  readonly #options: RegistryOptions;
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | null = null;
  #started: number | null = null;
  #nodes: readonly NodeStatus[] = [];

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** As of a second ago, in the order of their ids. */
  get nodes(): readonly NodeStatus[] {
    return this.#nodes;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.tick(), this.#options.everyMs ?? 1000);
    await this.tick();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#ticking;
    const { connection, key, id } = this.#options;
    await connection.command('HDEL', key, id).catch(() => {});
  }

  /** Tells and reads now; one at a time. The store may be away: then what was read last stays. */
  tick(): Promise<void> {
    this.#ticking ??= this.#tick()
      .catch(() => {})
      .finally(() => {
        this.#ticking = null;
      });
    return this.#ticking;
  }

  async #tick(): Promise<void> {
    const { connection, key, id, self } = this.#options;
    const now = milliseconds(await connection.command('TIME'));
    this.#started ??= now;
    const own: NodeStatus = { id, started: this.#started, seen: now, ...self() };
    await connection.command('HSET', key, id, JSON.stringify(own));
    const found = (await connection.command('HVALS', key)) as readonly (string | Buffer)[];
    const nodes = found.map((text) => JSON.parse(String(text)) as NodeStatus);
    const gone = nodes.filter(({ seen }) => now - seen > GONE_MS);
    if (gone.length > 0) await connection.command('HDEL', key, ...gone.map((node) => node.id));
    this.#nodes = nodes.filter((node) => !gone.includes(node)).sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

/** Of the answer to TIME: seconds and microseconds. */
function milliseconds(time: unknown): number {
  const [seconds, micros] = time as readonly (string | Buffer)[];
  return Number(String(seconds)) * 1000 + Math.floor(Number(String(micros)) / 1000);
}
