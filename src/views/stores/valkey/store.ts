import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { ViewDefinition } from '../../view.ts';
import { KeyNames } from './bucket/names.ts';
import { Census } from './census.ts';
import { type ConnectOptions, connectStore, type ValkeyConnection } from './connection.ts';
import type { StoredGeneration } from './generation.ts';
import { StoredView, type ViewLook } from './view.ts';
import { WritingConnection } from './writing.ts';

/** The same failure is told of at most this often. */
const TOLD_MS = 10_000;

export interface OpenStoreOptions extends ConnectOptions {
  /** Whose views they are: several databases may share a server, and one that is promoted goes on with what is there. */
  readonly database: string;
  /** So many replicas must have a change before it counts as applied; 0 unless told. */
  readonly replicas?: number;
  readonly log: Pick<Logger, 'error'>;
}

/** Connects to the server or cluster where views live. Throws an error that says what to do. */
export async function openStore({ database, log, replicas = 0, ...options }: OpenStoreOptions): Promise<ValkeyStore> {
  const { connection, server } = await connectStore(options);
  const writing = await writingBeside(connection, replicas, options);
  const description = `${server.name}${connection.isCluster ? ' Cluster' : ''}`;
  return new ValkeyStore({ connection, writing, names: new KeyNames(database), description, log });
}

/** Waiting for replicas holds a connection up, and is for what was written on it: reads have another one then. */
async function writingBeside(
  connection: ValkeyConnection,
  replicas: number,
  options: ConnectOptions,
): Promise<WritingConnection> {
  if (replicas === 0) return new WritingConnection({ connection, replicas });
  try {
    return new WritingConnection({ connection: (await connectStore(options)).connection, replicas });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

export interface ValkeyStoreOptions {
  readonly connection: ValkeyConnection;
  /** What the leader writes on; the same, or one of its own. */
  readonly writing: WritingConnection;
  readonly names: KeyNames;
  readonly description: string;
  readonly log: Pick<Logger, 'error'>;
}

/**
 * The views that live in Valkey or Redis: any node reads them, one of them, the leader, writes. Everything that writes is refused
 * (`StoreFault`, deposed) once a later leader has fenced the buckets.
 */
export class ValkeyStore {
  readonly connection: ValkeyConnection;
  /** `Redis 7.0.15`, `Valkey 8.1.1 Cluster` */
  readonly description: string;
  readonly #writing: WritingConnection;
  readonly #names: KeyNames;
  /** Tells this process from another one with the same leader's epoch. */
  readonly #holder = randomBytes(6).toString('hex');
  readonly #log: Pick<Logger, 'error'>;
  readonly #census: Census;
  readonly #views = new Map<string, StoredView>();
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor({ connection, writing, names, description, log }: ValkeyStoreOptions) {
    this.connection = connection;
    this.#writing = writing;
    this.#names = names;
    this.description = description;
    this.#log = log;
    this.#census = new Census({ connection, names });
  }

  /** All keys and channels of the database begin with it. */
  get prefix(): string {
    return this.#names.prefix;
  }

  /** Makes a view known. Throws where its kind does not live outside of a process. */
  add(name: string, definition: ViewDefinition<never>): StoredView {
    const failed = (view: string, error: Error) => this.#failed(view, error);
    const own = { connection: this.connection, writing: this.#writing, names: this.#names, holder: this.#holder };
    const view = new StoredView({ ...own, census: this.#census, name, definition, failed });
    this.#views.set(name, view);
    return view;
  }

  /** Raises the leader's epoch in every bucket of every view. */
  async fence(leader: number): Promise<void> {
    await Promise.all([...this.#views.values()].map((view) => view.fence(leader)));
  }

  /** Where each view stands, by its name; those of which there is nothing are not in it. One round. */
  async look(): Promise<Map<string, ViewLook>> {
    const looks = await Promise.all([...this.#views].map(async ([name, view]) => [name, await view.look()] as const));
    return new Map(looks.flatMap(([name, look]) => (look ? [[name, look] as const] : [])));
  }

  /** Goes on with what is there, be it of the epoch `from`, which `epoch` continues. */
  resume(view: string, leader: number, epoch: string, from?: string): Promise<StoredGeneration> {
    return this.#view(view).resume(leader, epoch, from);
  }

  /** A new, empty generation beside the one that is served. */
  create(view: string, leader: number, epoch: string): Promise<StoredGeneration> {
    return this.#view(view).create(leader, epoch);
  }

  async close(): Promise<void> {
    await Promise.all([this.connection.close(), this.#writing.connection.close()]);
  }

  #view(name: string): StoredView {
    const view = this.#views.get(name);
    if (!view) throw new Error(`the store does not know the view ${name}`);
    return view;
  }

  #failed(view: string, err: Error): void {
    const now = performance.now();
    if (now - this.#toldAt < TOLD_MS) return;
    this.#toldAt = now;
    this.#log.error({ view, err }, 'the store answers with an error; the record answers instead');
  }
}
