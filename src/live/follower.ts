import type { Logger } from 'pino';
import { type FeedSession, RebuildNeeded, type RebuildReason } from '../changes/feed.ts';
import { formatPosition } from '../changes/position.ts';
import { isVisible } from '../changes/visibility.ts';
import { Applier } from './applier.ts';
import { buildAside } from './aside.ts';
import { Backoff } from './backoff.ts';
import { buildFromSnapshot } from './build.ts';
import { compareStates } from './compare.ts';
import type { Generation } from './generation.ts';
import type { LiveStatus, Progress, VerifyReport } from './live.ts';
import { SchemaWatch } from './schema-watch.ts';
import type { ServedView } from './served-view.ts';
import { StreamWatch } from './stream-watch.ts';
import type { TopicHub } from './topic-hub.ts';
import { UnheldLog } from './unheld-log.ts';
import type { Watermark } from './watermark.ts';

export interface FollowerOptions {
  readonly views: readonly ServedView[];
  readonly watermark: Watermark;
  readonly topics: TopicHub;
  readonly log: Logger;
  /** Opens a session with a new temporary slot, publication and triggers in place. */
  open(purpose: 'main' | 'aside'): Promise<FeedSession>;
  /** What the schema lacks that the view needs, as of the last `open('main')`; the others are built without it. */
  lacking(view: ServedView): string | null;
  /** Throws RebuildNeeded('schema changed') when the followed tables are no longer what they were; `told`: the log told of DDL. */
  checkSchema(told: boolean): Promise<void>;
  /** `pg_current_snapshot()` */
  currentSnapshot(): Promise<string>;
  /** The transactions that are open in the record now: also those that the log has committed, and snapshots do not show yet. */
  openTransactions(): Promise<readonly number[]>;
  /** The stream showed a TRUNCATE of the table. */
  truncated(table: string): void;
  flushedLsn(): Promise<number>;
  /** Microseconds. */
  clock(): number;
}

/**
 * Follows the record for as long as the process lives: snapshot, stream, apply; after any loss again from the beginning
 * (the slot is temporary: CORRECTNESS 14). While no state is in step, the views answer from the record.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #stop = new AbortController();
  readonly #backoff = new Backoff({ firstMs: 20, maxMs: 5000 });
  readonly #schema: SchemaWatch;
  readonly #watch: StreamWatch;
  readonly #unheld: UnheldLog;
  readonly #opened = Promise.withResolvers<void>();
  #session: FeedSession | null = null;
  #applier: Applier | null = null;
  #end: (error: Error) => void = () => {};
  #running: Promise<void> | null = null;
  #reconnects = 0;
  #totals = { transactions: 0, changes: 0 };

  constructor(options: FollowerOptions) {
    this.#options = options;
    const { views, watermark, checkSchema, currentSnapshot, log } = options;
    this.#unheld = new UnheldLog(log);
    const rebuild = (error: RebuildNeeded) => this.#end(error);
    const schema = { views, watermark, checkSchema, currentSnapshot, stopped: this.#stop.signal, rebuild };
    this.#schema = new SchemaWatch(schema);
    this.#watch = new StreamWatch({
      flushedLsn: () => options.flushedLsn(),
      look: () => {
        this.#schema.check();
        this.#unheld.look(views);
      },
      tend: () => this.#tend(),
      ended: (error) => this.#end(error),
    });
  }

  get recordEnd(): number {
    return Math.max(this.#watch.recordEnd, this.#options.watermark.position.lsn);
  }

  /** Starts following. Resolves when the record's epoch is known and reads can be answered, be it from the record. */
  start(): Promise<void> {
    this.#running = this.#run();
    return this.#opened.promise;
  }

  poke(): void {
    this.#session?.poke();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#end(new Error('stopped'));
    await this.#running;
    this.#options.topics.close();
    this.#options.watermark.close();
  }

  status(): Omit<LiveStatus, 'projections'> {
    const { views, watermark } = this.#options;
    const following = this.#applier !== null;
    const position = watermark.position.epoch === '0' ? null : formatPosition(watermark.position);
    return {
      ready: following && views.every((view) => view.state === 'live' || view.state === 'catching up'),
      position,
      epoch: position && watermark.position.epoch,
      following,
      slot: this.#session && { ...this.#session.slot, retainedBytes: this.#session.retainedBytes },
      transactions: this.#totals.transactions + (this.#applier?.transactions ?? 0),
      changes: this.#totals.changes + (this.#applier?.changes ?? 0),
      reconnects: this.#reconnects,
      views: views.map((view) => view.status()),
      nodes: null,
    };
  }

  /** Builds the view anew beside the state it serves and switches to it. */
  async rebuild(view: ServedView, progress?: Progress): Promise<void> {
    const old = view.generation;
    const generation = await this.#aside(view, 'requested', progress);
    if (old) this.#applier?.remove(old);
    view.switchTo(generation);
    this.#options.topics.resync();
  }

  /** Builds the view anew, brings it to the position of the one served, and compares the two while both go on. */
  async verify(view: ServedView, progress?: Progress): Promise<VerifyReport> {
    const started = performance.now();
    const generation = await this.#aside(view, 'requested', progress, toCompare(view));
    try {
      const served = view.generation;
      if (!served) throw new Error(`the view ${view.name} was rebuilt meanwhile; verify it again`);
      const position = formatPosition(this.#options.watermark.position);
      const found = await compareStates(served, generation);
      return { view: view.name, position, ...found, seconds: (performance.now() - started) / 1000 };
    } finally {
      this.#applier?.remove(generation);
    }
  }

  async #run(): Promise<void> {
    this.#leave('first start');
    while (!this.#stop.signal.aborted) {
      const error = await this.#follow().catch((error: Error) => error);
      if (this.#stop.signal.aborted) return;
      this.#reconnects++;
      const reason = reasonOf(error);
      this.#options.log.warn({ reason, detail: error.message }, 'the change feed ended; building the views anew');
      await this.#backoff.wait(this.#stop.signal);
    }
  }

  /** One session from its snapshot to its end; returns what ended it. */
  async #follow(): Promise<Error> {
    const error = await this.#carry().catch((error: Error) => error);
    const session = this.#session;
    this.#leave(reasonOf(error)); // first of all: closing the connection may take its time
    await session?.close();
    return error;
  }

  async #carry(): Promise<Error> {
    const { watermark, log } = this.#options;
    const session = await this.#options.open('main');
    this.#session = session;
    const ended = new Promise<Error>((resolve) => {
      this.#end = resolve;
    });
    // Known from here on, so that answers from the record can say where they stand; nothing is claimed yet.
    if (watermark.position.epoch !== session.epoch) watermark.restart({ epoch: session.epoch, lsn: 0 });
    this.#opened.resolve();
    if (this.#stop.signal.aborted) return new Error('stopped while it was opened');
    const built = await Promise.race([Promise.all([this.#build(session), this.#hidden(session)]), ended]);
    if (built instanceof Error) return built;
    const [generations, hidden] = built;
    const applier = this.#applierInto(session, generations.values(), hidden);
    const failed = await Promise.race([session.stream(session.start, applier), ended]);
    if (failed) return failed;
    this.#serve(applier, generations);
    this.#backoff.reset();
    log.info({ position: formatPosition(watermark.position) }, 'views are in step');
    const unwatch = this.#watch.over(session);
    try {
      return await ended;
    } finally {
      unwatch();
    }
  }

  /** A state for each view that can be built; the others are broken, and stay so until the schema changes. */
  async #build(session: FeedSession): Promise<Map<ServedView, Generation>> {
    for (const view of this.#options.views) {
      const lacking = this.#options.lacking(view);
      if (lacking) this.#broken(view, new Error(lacking));
    }
    const views = this.#options.views.filter((view) => view.state !== 'broken');
    const built = await buildFromSnapshot({
      session,
      definitions: views.map((view) => view.definition),
      now: this.#options.clock(),
      progress: (rows, of) => {
        for (const view of views) if (view.progress) view.progress = { ...view.progress, rows, of };
      },
    });
    const generations = new Map<ServedView, Generation>();
    built.forEach(({ generation, fault }, i) => {
      if (fault) this.#broken(views[i]!, fault);
      else generations.set(views[i]!, generation);
    });
    return generations;
  }

  /** What the session's snapshot holds, and SQL does not show yet (CORRECTNESS 11): the stream will not tell of it. */
  async #hidden({ snapshot }: FeedSession): Promise<readonly number[]> {
    const open = await this.#options.openTransactions();
    return open.filter((xid) => isVisible(xid, snapshot!.visible));
  }

  /** What the stream is to feed the new states through, from the first byte on: the watermark is theirs from now on. */
  #applierInto(session: FeedSession, generations: Iterable<Generation>, hidden: readonly number[]): Applier {
    const { watermark, topics } = this.#options;
    const applier = new Applier({
      watermark,
      published: (transaction) => topics.transaction(transaction),
      resync: () => topics.resync(),
      acknowledge: (lsn) => session.acknowledge(lsn),
      truncated: (table) => this.#options.truncated(table),
      schemaChanged: () => this.#schema.told(),
      ended: (error) => this.#end(error),
    });
    watermark.restart({ epoch: session.epoch, lsn: session.start });
    watermark.settled(hidden);
    for (const generation of generations) applier.add(generation);
    return applier;
  }

  /** Only what the server streams into is served: until it says so, nothing is known of what it commits. */
  #serve(applier: Applier, generations: ReadonlyMap<ServedView, Generation>): void {
    for (const [view, generation] of generations) view.switchTo(generation);
    this.#applier = applier;
    this.#options.topics.resync();
  }

  /** Nothing feeds the views any more: they answer from the record until they are built anew. */
  #leave(reason: RebuildReason): void {
    for (const view of this.#options.views) view.detach(reason);
    this.#totals.transactions += this.#applier?.transactions ?? 0;
    this.#totals.changes += this.#applier?.changes ?? 0;
    this.#applier = null;
    this.#session = null;
  }

  #tend(): void {
    for (const view of this.#options.views) {
      const { generation } = view;
      if (generation?.fault) this.#broken(view, generation.fault);
      else view.tend(this.#options.clock());
      if (view.ownFault === null || this.#options.lacking(view)) continue;
      view.rebuild().catch((error) => {
        if (view.ownFault !== null) this.#broken(view, error); // unless a new stream has had it built meanwhile
      });
    }
  }

  #broken(view: ServedView, error: Error): void {
    if (this.#stop.signal.aborted) return;
    this.#options.log.error(
      { view: view.name, err: error },
      'the view is broken; its reads are answered from the record',
    );
    view.broken(error);
  }

  async #aside(
    view: ServedView,
    reason: RebuildReason,
    progress?: Progress,
    definition = view.definition,
  ): Promise<Generation> {
    const main = this.#applier;
    if (!main) throw new Error(`the view ${view.name} is being built: nothing to build beside yet`);
    try {
      const generation = await buildAside({
        definition,
        open: () => this.#options.open('aside'),
        main,
        watermark: this.#options.watermark,
        now: this.#options.clock(),
        timeoutMs: 60_000,
        progress: (rows, of) => {
          view.progress = { rows, of, reason };
          progress?.(rows, of);
        },
      });
      if (this.#applier !== main) throw new Error(`the stream ended while the view ${view.name} was built beside it`);
      return generation;
    } finally {
      view.progress = null;
    }
  }
}

/** How to build a state that the one served is compared with. */
function toCompare({ definition, generation }: ServedView): ServedView['definition'] {
  const { lazy, ...loaded } = definition;
  return lazy && generation ? { ...loaded, build: () => lazy.beside(generation.state) } : definition;
}

function reasonOf(error: Error): RebuildReason {
  return error instanceof RebuildNeeded ? error.reason : 'slot lost';
}
