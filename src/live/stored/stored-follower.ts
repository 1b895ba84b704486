import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type FeedSession, RebuildNeeded, type RebuildReason } from '../../changes/feed.ts';
import { formatPosition } from '../../changes/position.ts';
import { ClientError } from '../../record/errors.ts';
import { StoreFault } from '../../views/stores/valkey/errors.ts';
import { Backoff } from '../backoff.ts';
import { Deposed, type Term } from '../leader/term.ts';
import type { LiveStatus, Progress, VerifyReport } from '../live.ts';
import type { LeaderFacts, Node } from '../nodes/node.ts';
import { SchemaWatch } from '../schema-watch.ts';
import type { ServedView } from '../served-view.ts';
import { twinOf } from '../stored-twin.ts';
import { StreamWatch } from '../stream-watch.ts';
import type { TopicHub } from '../topic-hub.ts';
import { UnheldLog } from '../unheld-log.ts';
import type { Watermark } from '../watermark.ts';
import { rebuildStored, verifyStored } from './aside.ts';
import { type Begun, beginTerm, isBroken, type OpenOptions } from './begin.ts';
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
  /** A session with the durable slot of all stored views; see `BeginOptions`. */
  open(options: OpenOptions): Promise<FeedSession>;
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
  readonly #unheld: UnheldLog;
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
    const { views, watermark, checkSchema, currentSnapshot, node, log } = options;
    this.#unheld = new UnheldLog(log);
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
        this.#unheld.look(views);
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
    const leader = this.#otherLeader;
    if (leader) {
      await this.#options.node.ask(leader, view.name, 'rebuild', progress);
      return;
    }
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
    const leader = this.#otherLeader;
    if (leader) return (await this.#options.node.ask(leader, view.name, 'verify', progress))!;
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
    const { session, states, anew } = begun;
    this.#states = new Map(states);
    const applier = this.#applierFrom(session);
    this.#applier = applier;
    for (const state of states.values()) applier.add(state);
    await this.#options.prepared();
    this.#anew = null;
    this.#backoff.reset();
    node.begin({ epoch: session.epoch, lsn: session.start }, anew);
    const failed = await Promise.race([session.stream(session.start, applier), ended]);
    if (failed) return failed;
    const unwatch = this.#watch.over(session);
    try {
      const overtaken = await Promise.race([this.#catchUp(applier, session), ended]);
      if (overtaken) return overtaken;
      this.#isCurrent = true;
      node.beat();
      log.info({ position: formatPosition(watermark.position), anew }, 'views are in step');
      return await ended;
    } finally {
      unwatch();
    }
  }

  #begin(term: Term): Promise<Begun> {
    const { views, store, prepare, lacking, open, clock, log } = this.#options;
    return beginTerm({
      ...{ term, views, store, anew: this.#anew, prepare, lacking, clock, log },
      open: async (how) => {
        const session = await open(how);
        if (this.#term === term) {
          this.#session = session;
          return session;
        }
        await session.close();
        throw new Deposed('its term ended while it began');
      },
    });
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

  #applierFrom(session: FeedSession): StoredApplier {
    const { node, truncated } = this.#options;
    const applier: StoredApplier = new StoredApplier({
      start: session.start,
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
    if (error instanceof StoreFault && error.leader !== null) node.outdo(error.leader);
    const [session, applier] = [this.#session, this.#applier];
    this.#session = null;
    this.#applier = null;
    this.#isCurrent = false;
    this.#watch.recordEnd = 0; // the leader tells from now on; in another epoch the log may end before
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
      if (fault) isBroken(view, fault, log);
      if (view.ownFault === null || lacking(view)) continue;
      view.rebuild().catch((err) => log.error({ view: view.name, err }, 'the view is still broken'));
    }
  }

  #leading(view: ServedView): { applier: StoredApplier; term: Term } {
    const [applier, term] = [this.#applier, this.#term];
    if (applier && term) return { applier, term };
    throw new ClientError(409, `The view ${view.name} is being built: there is nothing to build beside yet.`);
  }

  /** The node that follows the record, where that is not this one. */
  get #otherLeader(): string | undefined {
    const { node } = this.#options;
    return node.leading ? undefined : node.heartbeat?.node;
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
