import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FeedSession } from '../../changes/feed.ts';
import { formatPosition } from '../../changes/position.ts';
import type { Drift, ViewDefinition } from '../../views/view.ts';
import { buildAside } from '../aside.ts';
import type { Progress, VerifyReport } from '../live.ts';
import type { Watermark } from '../watermark.ts';
import { buildStored } from './build.ts';
import type { WritableState } from './store.ts';
import { StoredApplier } from './stored-applier.ts';

const EXAMPLES = 100;
const ARRIVE_MS = 60_000;

interface Aside {
  readonly definition: ViewDefinition<never>;
  /** A session with a temporary slot of its own and its snapshot. */
  open(): Promise<FeedSession>;
  readonly main: StoredApplier;
  /** Microseconds. */
  readonly now: number;
  readonly progress: Progress;
}

/**
 * Builds a state in the store beside the one that is served: the snapshot of a slot of its own, then that slot's stream until it is
 * not behind the main one, which feeds it from there on (CORRECTNESS 12).
 */
export async function rebuildStored(options: Aside & { create(): Promise<WritableState> }): Promise<WritableState> {
  const { definition, now, progress, main } = options;
  const session = await options.open();
  let state: WritableState | null = null;
  try {
    state = await options.create();
    const building = { definition, state, fault: null as Error | null };
    await buildStored({ session, buildings: [building], now, progress });
    if (building.fault) throw building.fault;
    await meet(session, state, main);
    return state;
  } catch (error) {
    if (state) {
      main.remove(state);
      await state.drop().catch(() => {});
    }
    throw error;
  } finally {
    await session.close();
  }
}

/** Streams the session's slot into the state until the main stream takes it over. */
async function meet(session: FeedSession, state: WritableState, main: StoredApplier): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const side = new StoredApplier({
    start: state.lsn,
    delivered: () => {},
    resync: () => {},
    acknowledge: () => {},
    pause: () => session.pause(),
    resume: () => session.resume(),
    truncated: () => {},
    schemaChanged: () => {}, // the main stream sees the same
    ended: reject,
  });
  side.add(state);
  // Held still while it is looked whether the main stream may take it over, so that never both write.
  const look = () => {
    side
      .between(async () => {
        if (!main.join(state)) return;
        side.remove(state);
        resolve();
      })
      .catch(reject);
  };
  const unwatch = main.watch(look);
  const timer = setInterval(() => {
    side.want();
    session.poke();
    look();
  }, 10);
  try {
    await Promise.all([session.stream(state.lsn, side), promise]); // the main stream may end before this one has started
  } finally {
    clearInterval(timer);
    unwatch();
    side.ended(new Error('the main stream has taken over'));
  }
}

/**
 * Compares a view in the store with a state built anew in this process, which is brought to the same position and fed the same
 * changes: block by block, each while nothing is written.
 */
export async function verifyStored(
  options: Aside & { readonly served: WritableState; readonly watermark: Watermark },
): Promise<Omit<VerifyReport, 'view'>> {
  const { definition, main, served, watermark, now, progress, open } = options;
  const started = performance.now();
  const beside = {
    join: (generation: Parameters<typeof main.joinBeside>[0]) => main.joinBeside(generation),
    remove: (generation: Parameters<typeof main.joinBeside>[0]) => main.remove(generation),
    watch: (look: () => void) => main.watch(look),
  };
  const twin = await buildAside({ definition, open, main: beside, watermark, now, timeoutMs: ARRIVE_MS, progress });
  try {
    const position = formatPosition(watermark.position);
    const examples: Drift[] = [];
    let drift = 0;
    for await (const found of served.compare(twin.state, (work) => main.between(work))) {
      if (found && drift++ < EXAMPLES) examples.push(found);
      if (twin.fault) throw twin.fault;
      await nextTurn();
    }
    const compared = twin.state.stats().entries;
    return { position, compared, drift, examples, seconds: (performance.now() - started) / 1000 };
  } finally {
    main.remove(twin);
  }
}
