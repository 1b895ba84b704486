import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type FeedSession, RebuildNeeded, type RebuildReason } from '../../changes/feed.ts';
import { formatPosition } from '../../changes/position.ts';
import { ClientError } from '../../record/errors.ts';
import { Backoff } from '../backoff.ts';
import { Deposed, type Term } from '../leader/term.ts';
import type { LiveStatus, Progress, VerifyReport } from '../live.ts';
import type { LeaderFacts, Node } from '../nodes/node.ts';
import { SchemaWatch } from '../schema-watch.ts';
import type { ServedView } from '../served-view.ts';
import { twinOf } from '../stored-twin.ts';
import { StreamWatch } from '../stream-watch.ts';
import type { TopicHub } from '../topic-hub.ts';
import type { Watermark } from '../watermark.ts';
import { rebuildStored, verifyStored } from './aside.ts';
import { type Building, buildStored } from './build.ts';
import type { ViewStore, WritableState } from './store.ts';
import { StoredApplier } from './stored-applier.ts';

export interface StoredFollowerOptions {
  readonly views: readonly ServedView[];
  readonly watermark: Watermark;
  readonly topics: TopicHub;
  readonly node: Node;
  readonly store: ViewStore;
  readonly log: Logger;
  /**
   * Publication and triggers in place. True where the followed tables are what they were when the views were last known to be the
   * record's.
   */
  prepare(): Promise<boolean>;
  /** The followed tables are what they are in the views: kept for the next leader. */
  prepared(): Promise<void>;
  /** A session with the durable slot of all stored views; `anew`: a new one, with its snapshot. */
  open(options: { readonly anew: boolean }): Promise<FeedSession>;
  /** A session with a temporary slot of its own and its snapshot. */
  openAside(): Promise<FeedSession>;
  /** What the schema lacks that the view needs, as of the last `prepare`. */
  lacking(view: ServedView): string | null;
  /** Throws RebuildNeeded('schema changed'); see `SchemaWatch`. */
  checkSchema(told: boolean): Promise<void>;
  /** `pg_current_snapshot()` */
  currentSnapshot(): Promise<string>;
  truncated(table: string): void;
  flushedLsn(): Promise<number>;
  /** Microseconds. */
  clock(): number;
}

/**
 * Follows the record for all nodes, whenever it is this one's turn: fences the store against the leaders before, goes on from
 * where the store stands, or builds it anew where it cannot (CORRECTNESS 5), and tells the other nodes.
 */
export class StoredFollower {
  readonly #options: StoredFollowerOptions;
  readonly #stop = new AbortController();
  readonly #backoff = new Backoff({ firstMs: 20, maxMs: 5000 });
  readonly #schema: SchemaWatch;
  readonly #watch: StreamWatch;
  #running: Promise<void> | null = null;
  #session: FeedSession | null = null;
  #applier: StoredApplier | null = null;
  #states = new Map<ServedView, WritableState>();
  #term: Term | null = null;
  /** The views are followed, and were brought up to the record. */
  #isCurrent = false;
  #anew: RebuildReason | null = null;
  #end: (error: Error) => void = () => {};
  #reconnects = 0;
  #looking = false;
  /** The beginning of the term, which may be overtaken by its end. */
  #beginning: Promise<unknown> = Promise.resolve();

  constructor(options: StoredFollowerOptions) {
    const { views, watermark, checkSchema, currentSnapshot, node } = options;
    this.#options = options;
    this.#schema = new SchemaWatch({
      views,
      watermark,
      checkSchema,
      currentSnapshot,
      stopped: this.#stop.signal,
      rebuild: (error) => this.#end(error),
      doubted: () => node.beat(), // none of the nodes answers from a view that is doubted
    });
    this.#watch = new StreamWatch({
      flushedLsn: () => options.flushedLsn(),
      look: () => {
        this.#schema.check();
        void this.#lookAtStore();
      },
      tend: () => this.#tend(),
      ended: (error) => this.#end(error),
    });
  }

  get recordEnd(): number {
    const { node, watermark } = this.#options;
    return Math.max(this.#watch.recordEnd, node.heartbeat?.recordEnd ?? 0, watermark.position.lsn);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Asks the record how far its log is, and has that told to all. */
  poke(): void {
    this.#applier?.want();
    this.#session?.poke();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#end(new Error('stopped'));
    await this.#running;
    this.#options.topics.close();
    this.#options.watermark.close();
  }

  /** What the other nodes are told with each heartbeat. */
  facts(): LeaderFacts {
    const { views } = this.#options;
    const broken = views.flatMap((view) => (view.ownFault === null ? [] : [[view.name, view.ownFault] as const]));
    return {
      following: this.#isCurrent && !views.some((view) => view.doubted),
      recordEnd: this.recordEnd,
      broken: Object.fromEntries(broken),
      retainedBytes: this.#session?.retainedBytes ?? 0,
    };
  }

  status(): Omit<LiveStatus, 'projections'> {
    const { views, watermark, node } = this.#options;
    const known = watermark.position.lsn > 0;
    return {
      ready: node.inStep && views.every((view) => view.state === 'live' || view.state === 'catching up'),
      position: known ? formatPosition(watermark.position) : null,
      epoch: watermark.position.epoch === '0' ? null : watermark.position.epoch,
      following: node.inStep,
      slot: this.#session && { ...this.#session.slot, retainedBytes: this.#session.retainedBytes },
      transactions: node.received.transactions,
      changes: node.received.changes,
      reconnects: this.#reconnects,
      views: views.map((view) => view.status()),
      nodes: node.nodes,
    };
  }

  async rebuild(view: ServedView, progress?: Progress): Promise<void> {
    const { applier, term } = this.#leading(view);
    const { store, openAside, clock, watermark, topics } = this.#options;
    const epoch = watermark.position.epoch;
    const state = await this.#showing(view, progress, (shown) =>
      rebuildStored({
        definition: view.definition,
        create: () => store.create(view.name, term.epoch, epoch),
        open: openAside,
        main: applier,
        now: clock(),
        progress: shown,
      }),
    );
    const old = this.#states.get(view);
    if (this.#applier !== applier) throw new Error(`the stream ended while the view ${view.name} was built beside it`);
    await applier.between(async () => {
      await state.serve();
      if (old) applier.remove(old);
      this.#states.set(view, state);
      view.rebuilt();
    });
    topics.resync();
  }

  async verify(view: ServedView, progress?: Progress): Promise<VerifyReport> {
    const { applier } = this.#leading(view);
    const served = this.#states.get(view);
    if (!served) throw new Error(`the view ${view.name} is broken: it holds nothing to compare`);
    const { openAside, clock, watermark } = this.#options;
    const definition = await twinOf(view.definition, view.reader!, watermark.position);
    const compared = await this.#showing(view, progress, (shown) =>
      verifyStored({
        definition,
        served,
        open: openAside,
        main: applier,
        watermark,
        now: clock(),
        progress: shown,
      }),
    );
    return { view: view.name, ...compared };
  }

  async #run(): Promise<void> {
    const { node, log } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const term = await node.turn(signal);
      if (!term) return;
      const error = await this.#lead(term).catch((error: Error) => error);
      await this.#leave(error);
      if (signal.aborted) return;
      this.#reconnects++;
      log.warn({ detail: error.message }, 'this node leads no more');
      if (!(error instanceof Deposed)) await this.#backoff.wait(signal);
    }
  }

  /** One term, from its fence to its end; returns what ended it. */
  async #lead(term: Term): Promise<Error> {
    const { node, store, log, watermark } = this.#options;
    const ended = new Promise<Error>((resolve) => {
      this.#end = resolve;
    });
    if (this.#stop.signal.aborted) return new Error('stopped');
    term.lost.then((error) => this.#end(error));
    this.#term = term;
    await store.fence(term.epoch);
    const beginning = this.#begin(term);
    this.#beginning = beginning.catch(() => {});
    const begun = await Promise.race([beginning, ended]);
    if (begun instanceof Error) return begun;
    const { session, from, anew } = begun;
    const applier = this.#applierFrom(from, session);
    for (const state of this.#states.values()) applier.add(state);
    await this.#options.prepared();
    this.#anew = null;
    this.#backoff.reset();
    node.begin({ epoch: session.epoch, lsn: from }, anew);
    await session.stream(from, applier);
    this.#applier = applier;
    await Promise.race([this.#catchUp(applier, session), ended]);
    this.#isCurrent = true;
    node.beat();
    log.info({ position: formatPosition(watermark.position), anew }, 'views are in step');
    const unwatch = this.#watch.over(session, applier);
    try {
      return await ended;
    } finally {
      unwatch();
    }
  }

  /** Goes on with what is in the store where all of it is there and the slot has what follows; otherwise builds it anew. */
  async #begin(term: Term): Promise<{ session: FeedSession; from: number; anew: boolean }> {
    const { open, prepare } = this.#options;
    const sameSchema = await prepare();
    if (!sameSchema) this.#anew ??= 'schema changed';
    const epoch = this.#anew ? null : await this.#intactEpoch();
    const session = await open({ anew: epoch === null }).catch((error) => {
      if (error instanceof RebuildNeeded) this.#anew = error.reason;
      throw error;
    });
    if (this.#term !== term) {
      await session.close();
      throw new Deposed('its term ended while it began');
    }
    this.#session = session;
    if (session.snapshot) {
      await this.#build(session, term);
      return { session, from: session.start, anew: true };
    }
    const lsn = epoch === session.epoch ? await this.#resume(term, epoch) : 0;
    if (lsn < session.start) {
      this.#anew = epoch === session.epoch ? 'store lost' : 'epoch changed';
      throw new RebuildNeeded(this.#anew, `the store stands at ${lsn}, the slot at ${session.start}`);
    }
    return { session, from: session.start, anew: false };
  }

  /** The record's epoch that the store is of, if every view is whole. */
  async #intactEpoch(): Promise<string | null> {
    const { store, log } = this.#options;
    const looks = await store.look();
    let epoch: string | null | undefined;
    for (const view of this.#buildable()) {
      const look = looks.get(view.name);
      if (look?.intact && (epoch === undefined || epoch === look.epoch)) {
        epoch = look.epoch;
        continue;
      }
      log.info({ view: view.name }, 'the view is not whole in the store');
      this.#anew = looks.size === 0 ? 'first start' : 'store lost';
      return null;
    }
    return epoch ?? null;
  }

  #buildable(): ServedView[] {
    const { views, lacking, log } = this.#options;
    return views.filter((view) => {
      const missing = lacking(view);
      if (!missing) return true;
      log.error({ view: view.name, missing }, 'the view is broken; its reads are answered from the record');
      view.broken(new Error(missing));
      return false;
    });
  }

  /** Returns the least position of all views. */
  async #resume(term: Term, epoch: string): Promise<number> {
    const { store } = this.#options;
    for (const view of this.#buildable()) {
      this.#states.set(view, await store.resume(view.name, term.epoch, epoch));
      view.built();
    }
    return Math.min(...[...this.#states.values()].map((state) => state.lsn));
  }

  async #build(session: FeedSession, term: Term): Promise<void> {
    const { store, clock, log } = this.#options;
    const views = this.#buildable();
    const buildings: Building[] = await Promise.all(
      views.map(async ({ definition, name }) => ({
        definition,
        state: await store.create(name, term.epoch, session.epoch),
        fault: null,
      })),
    );
    const progress = (rows: number, of: number) => {
      for (const view of views) view.progress = { rows, of, reason: this.#anew ?? 'slot lost' };
    };
    await buildStored({ session, buildings, now: clock(), progress });
    for (const [i, { state, fault }] of buildings.entries()) {
      const view = views[i]!;
      if (fault) {
        log.error({ view: view.name, err: fault }, 'the view is broken; its reads are answered from the record');
        view.broken(fault);
        continue;
      }
      await state.serve();
      this.#states.set(view, state);
      view.built();
    }
  }

  /** Up to the end that the record has now: what was written while nobody led is not passed over in silence. */
  async #catchUp(applier: StoredApplier, session: FeedSession): Promise<void> {
    const end = await this.#options.flushedLsn();
    while (this.#applier === applier && applier.lsn < end) {
      applier.want();
      session.poke();
      await sleep(1);
    }
  }

  #applierFrom(start: number, session: FeedSession): StoredApplier {
    const { node, truncated } = this.#options;
    const applier: StoredApplier = new StoredApplier({
      start,
      delivered: (next, transactions) => node.deliver(next, transactions),
      resync: (next) => node.resync(next),
      acknowledge: (lsn) => session.acknowledge(lsn),
      pause: () => session.pause(),
      resume: () => session.resume(),
      truncated,
      schemaChanged: () => this.#schema.told(() => new Promise(setImmediate).then(() => applier.settled())),
      ended: (error) => this.#end(error),
    });
    return applier;
  }

  /** Nothing that this node still has under way touches the store any more, and another one may lead. */
  async #leave(error: Error): Promise<void> {
    const { node, views } = this.#options;
    if (error instanceof RebuildNeeded) this.#anew = error.reason;
    const [session, applier] = [this.#session, this.#applier];
    this.#session = null;
    this.#applier = null;
    this.#isCurrent = false;
    this.#term = null;
    this.#states = new Map();
    node.beat(); // the others answer from the record until somebody follows again
    applier?.ended(error);
    await session?.close();
    await this.#beginning;
    for (const view of views) view.released();
    await node.leave();
  }

  /** Loss shows in the buckets' positions also where nothing is written (CORRECTNESS 5). */
  async #lookAtStore(): Promise<void> {
    const applier = this.#applier;
    if (this.#looking || !applier) return;
    this.#looking = true;
    try {
      const { lsn } = applier;
      const looks = await this.#options.store.look();
      if (this.#applier !== applier) return;
      for (const view of this.#states.keys()) {
        const look = looks.get(view.name);
        if (look?.intact && look.lsn >= lsn) continue;
        this.#end(new RebuildNeeded('store lost', `${view.name} is ${look?.intact ? 'behind' : 'not whole'}`));
      }
    } catch {
      // the store is away: the writes will say so
    } finally {
      this.#looking = false;
    }
  }

  #tend(): void {
    const { views, clock, lacking, log } = this.#options;
    for (const state of this.#states.values()) state.expire(clock());
    for (const view of views) {
      const fault = this.#states.get(view)?.fault;
      if (fault) {
        log.error({ view: view.name, err: fault }, 'the view is broken; its reads are answered from the record');
        view.broken(fault);
      }
      if (view.ownFault === null || lacking(view)) continue;
      view.rebuild().catch((err) => log.error({ view: view.name, err }, 'the view is still broken'));
    }
  }

  #leading(view: ServedView): { applier: StoredApplier; term: Term } {
    const [applier, term] = [this.#applier, this.#term];
    if (applier && term) return { applier, term };
    const { node } = this.#options;
    const leader = node.heartbeat?.node;
    if (node.leading || !leader) {
      throw new ClientError(409, `The view ${view.name} is being built: there is nothing to build beside yet.`);
    }
    throw new ClientError(409, `Another node follows the record: ask that one (${leader}).`);
  }

  async #showing<T>(
    view: ServedView,
    progress: Progress | undefined,
    work: (progress: Progress) => Promise<T>,
  ): Promise<T> {
    try {
      return await work((rows, of) => {
        view.progress = { rows, of, reason: 'requested' };
        progress?.(rows, of);
      });
    } finally {
      view.progress = null;
    }
  }
}
