import type { Logger } from 'pino';
import { type FeedSession, RebuildNeeded, type RebuildReason } from '../../changes/feed.ts';
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
  /** A session with the durable slot; `anew`: a new one, with its snapshot. */
  open(options: { readonly anew: boolean }): Promise<FeedSession>;
  /** Microseconds. */
  clock(): number;
  readonly log: Logger;
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
  const reason = options.anew ?? (sameSchema ? found.reason : 'schema changed');
  const session = await options.open({ anew: reason !== null });
  if (session.snapshot) {
    const states = await build(options, { views, session, reason: reason ?? 'slot lost' });
    return { session, states, anew: true };
  }
  if (found.epoch !== session.epoch) {
    throw new RebuildNeeded('epoch changed', `the store is of ${found.epoch}, the record is ${session.epoch}`);
  }
  const states = await resume(options, views, found.epoch);
  const lsn = Math.min(...[...states.values()].map((state) => state.lsn));
  if (lsn >= session.start) return { session, states, anew: false };
  throw new RebuildNeeded('store lost', `the store stands at ${lsn}, the slot at ${session.start}`);
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

/** The record's epoch that every view in the store is of; or why they are to be built. */
async function intact(
  { store, log }: BeginOptions,
  views: readonly ServedView[],
): Promise<{ readonly epoch: string | null; readonly reason: RebuildReason | null }> {
  const looks = await store.look();
  let epoch: string | null | undefined;
  for (const view of views) {
    const look = looks.get(view.name);
    if (look?.intact && (epoch === undefined || epoch === look.epoch)) {
      epoch = look.epoch;
      continue;
    }
    log.info({ view: view.name }, 'the view is not whole in the store');
    return { epoch: null, reason: looks.size === 0 ? 'first start' : 'store lost' };
  }
  return epoch ? { epoch, reason: null } : { epoch: null, reason: 'first start' };
}

async function resume(
  { store, term }: BeginOptions,
  views: readonly ServedView[],
  epoch: string,
): Promise<Map<ServedView, WritableState>> {
  const states = new Map<ServedView, WritableState>();
  for (const view of views) {
    states.set(view, await store.resume(view.name, term.epoch, epoch));
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
