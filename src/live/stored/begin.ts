import type { Logger } from 'pino';
import { type FeedSession, RebuildNeeded, type RebuildReason } from '../../changes/feed.ts';
import type { Position } from '../../changes/position.ts';
import type { Term } from '../leader/term.ts';
import type { ServedView } from '../served-view.ts';
import { type Building, buildStored } from './build.ts';
import type { ViewStore, WritableState } from './store.ts';

export interface BeginOptions {
  readonly term: Term;
  readonly views: readonly ServedView[];
  readonly store: ViewStore;
  /** Why the views are to be built anew, where that is known already. */
  readonly anew: RebuildReason | null;
  /** Publication and triggers in place; whether the followed tables are what they were when the views were last the record's. */
  prepare(): Promise<boolean>;
  /** What the schema lacks that the view needs, as of `prepare`. */
  lacking(view: ServedView): string | null;
  /**
   * A session with the durable slot. `anew`: a new one, with its snapshot. `state`: where the furthest bucket stands, which the record's
   * log must have (CORRECTNESS 1).
   */
  open(options: OpenOptions): Promise<FeedSession>;
  /** Microseconds. */
  clock(): number;
  readonly log: Logger;
}

export interface OpenOptions {
  readonly anew: boolean;
  readonly state?: Position | null;
}

/** What a term goes on with. */
export interface Begun {
  readonly session: FeedSession;
  /** By view; those that could not be built are not in it. */
  readonly states: ReadonlyMap<ServedView, WritableState>;
  /** Whether they were built anew. */
  readonly anew: boolean;
}

/**
 * Goes on with what is in the store where all of it is there and the slot has what follows; otherwise builds it anew. Throws
 * RebuildNeeded where only the next term can do that.
 */
export async function beginTerm(options: BeginOptions): Promise<Begun> {
  const sameSchema = await options.prepare();
  const views = buildable(options);
  const found = await intact(options, views);
  const known = options.anew ?? (sameSchema ? found.reason : 'schema changed');
  const { session, reason } = await openOn(options, found.state, known);
  if (session.snapshot) {
    const states = await build(options, { views, session, reason });
    return { session, states, anew: true };
  }
  if (found.state === null && found.epoch !== session.epoch) {
    throw new RebuildNeeded('epoch changed', `the store is of ${found.epoch}, the record is ${session.epoch}`);
  }
  const states = await resume(options, { views, session, from: found.epoch! });
  const lsn = Math.min(...[...states.values()].map((state) => state.lsn));
  if (lsn >= session.start) return { session, states, anew: false };
  throw new RebuildNeeded('store lost', `the store stands at ${lsn}, the slot at ${session.start}`);
}

/** With the slot that is there or, where that is of no use or `reason` is given, a new one. */
async function openOn(
  { open, log }: BeginOptions,
  state: Position | null,
  reason: RebuildReason | null,
): Promise<{ readonly session: FeedSession; readonly reason: RebuildReason }> {
  if (reason) return { session: await open({ anew: true }), reason };
  try {
    return { session: await open({ anew: false, state }), reason: 'slot lost' };
  } catch (error) {
    if (!(error instanceof RebuildNeeded)) throw error;
    log.warn({ reason: error.reason, detail: error.message }, 'the views are built anew');
    return { session: await open({ anew: true }), reason: error.reason };
  }
}

function buildable({ views, lacking, log }: BeginOptions): ServedView[] {
  return views.filter((view) => {
    const missing = lacking(view);
    if (missing) isBroken(view, new Error(missing), log);
    return !missing;
  });
}

/** Its reads are answered from the record until it can be built. */
export function isBroken(view: ServedView, error: Error, log: Logger): void {
  log.error({ view: view.name, err: error }, 'the view is broken; its reads are answered from the record');
  view.broken(error);
}

interface Found {
  /** The record's that every view in the store is of. */
  readonly epoch: string | null;
  /** The furthest that any of them holds something of; null where that is not known. */
  readonly state: Position | null;
  /** Why they are to be built. */
  readonly reason: RebuildReason | null;
}

async function intact({ store, log }: BeginOptions, views: readonly ServedView[]): Promise<Found> {
  const nothing = { epoch: null, state: null };
  const looks = await store.look();
  let epoch: string | null | undefined;
  let reach: number | null = 0;
  for (const view of views) {
    const look = looks.get(view.name);
    if (look?.intact && (epoch === undefined || epoch === look.epoch)) {
      epoch = look.epoch;
      reach = reach === null || look.reach === null ? null : Math.max(reach, look.reach);
      continue;
    }
    log.info({ view: view.name }, 'the view is not whole in the store');
    return { ...nothing, reason: looks.size === 0 ? 'first start' : 'store lost' };
  }
  if (!epoch) return { ...nothing, reason: 'first start' };
  return { epoch, state: reach === null ? null : { epoch, lsn: reach }, reason: null };
}

interface Resuming {
  readonly views: readonly ServedView[];
  readonly session: FeedSession;
  /** The epoch that they are of. */
  readonly from: string;
}

/**
 * In a later epoch a view that is filled on demand begins empty: what it holds was read beside the stream, and may be of a
 * transaction that the record has lost.
 */
async function resume(options: BeginOptions, resuming: Resuming): Promise<Map<ServedView, WritableState>> {
  const { store, term } = options;
  const { views, session, from } = resuming;
  const empty = views.filter(({ definition }) => definition.lazy && from !== session.epoch);
  const states = await build(options, { views: empty, session, reason: 'epoch changed' });
  for (const view of views) {
    if (empty.includes(view)) continue;
    states.set(view, await store.resume(view.name, term.epoch, session.epoch, from));
    view.built();
  }
  return states;
}

async function build(
  { store, term, clock, log }: BeginOptions,
  { views, session, reason }: { views: readonly ServedView[]; session: FeedSession; reason: RebuildReason },
): Promise<Map<ServedView, WritableState>> {
  const buildings: (Building & { view: ServedView })[] = await Promise.all(
    views.map(async (view) => ({
      view,
      definition: view.definition,
      state: await store.create(view.name, term.epoch, session.epoch),
      fault: null,
    })),
  );
  const progress = (rows: number, of: number) => {
    for (const view of views) view.progress = { rows, of, reason };
  };
  await buildStored({ session, buildings, now: clock(), progress });
  const states = new Map<ServedView, WritableState>();
  for (const { view, state, fault } of buildings) {
    if (fault) {
      isBroken(view, fault, log);
      continue;
    }
    await state.serve();
    states.set(view, state);
    view.built();
  }
  return states;
}
