import type { FeedSession } from '../../changes/feed.ts';
import { StoreFault, StoreUnavailable } from '../../views/stores/valkey/errors.ts';
import type { ViewDefinition } from '../../views/view.ts';
import { mergeSources } from '../build.ts';
import type { Progress } from '../live.ts';
import type { WritableState } from './store.ts';

export interface Building {
  readonly definition: ViewDefinition<never>;
  readonly state: WritableState;
  /** Set when it could not be built; the others are. */
  fault: Error | null;
}

/** Fills new states from a session's snapshot, reading each table once for all of them. */
export async function buildStored(options: {
  readonly session: FeedSession;
  readonly buildings: readonly Building[];
  /** Microseconds. */
  readonly now: number;
  readonly progress?: Progress;
}): Promise<void> {
  const { session, buildings, progress } = options;
  const snapshot = session.snapshot!;
  const loaded = buildings.filter(({ definition }) => !definition.lazy);
  for (const { state } of loaded) state.expire(options.now); // what would be let go of at once is not built first
  const sources = mergeSources(loaded.map(({ definition }) => definition));
  const estimates = await Promise.all(sources.map(({ table }) => snapshot.estimate(table)));
  const expected = estimates.reduce((sum, rows) => sum + rows, 0);
  let rows = 0;
  for (const source of sources) {
    const readers = loaded.filter(({ state }) => state.tables.has(source.table));
    await snapshot.read(source, async (block) => {
      await Promise.all(readers.map((each) => attempt(each, () => each.state.load(source.table, block))));
      rows += block.length;
      progress?.(rows, Math.max(rows, expected));
    });
  }
  await Promise.all(buildings.map((each) => attempt(each, () => each.state.loaded(session.start, options.now))));
}

async function attempt(building: Building, work: () => Promise<void> | void): Promise<void> {
  if (building.fault) return;
  try {
    await work();
  } catch (error) {
    if (error instanceof StoreFault || error instanceof StoreUnavailable) throw error; // nothing that the view could help
    building.fault = error as Error;
  }
}
