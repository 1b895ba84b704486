import type { FeedHandler, FeedSession } from '../changes/feed.ts';
import type { ViewDefinition } from '../views/view.ts';
import { buildFromSnapshot } from './build.ts';
import type { Generation } from './generation.ts';
import type { Progress } from './live.ts';
import type { Watermark } from './watermark.ts';

/** The main stream, as far as what is built beside it is concerned. */
export interface MainStream {
  /** Feeds a state that is not behind it; refused while it is, or in the middle of a large transaction. */
  join(generation: Generation): boolean;
  remove(generation: Generation): void;
  /** Calls `look` after each step, until the returned function is called. */
  watch(look: () => void): () => void;
}

export interface AsideOptions {
  readonly definition: ViewDefinition<never>;
  /** A session with a temporary slot of its own and its snapshot. */
  open(): Promise<FeedSession>;
  readonly main: MainStream;
  readonly watermark: Watermark;
  readonly now: number;
  /** Bound on waiting for the main stream to come up to the new state. */
  readonly timeoutMs: number;
  readonly progress?: Progress;
}

/**
 * Builds a state beside the one that is served, while both streams go on: the snapshot of a slot of its own, then *that slot's*
 * stream until it is not behind the main one, which feeds it from there on (CORRECTNESS 12). When it returns, the state stands
 * at the watermark and is fed; the caller switches to it, or compares, and must `main.remove` it if it is not kept.
 */
export async function buildAside(options: AsideOptions): Promise<Generation> {
  const session = await options.open();
  try {
    const [built] = await buildFromSnapshot({ session, definitions: [options.definition], ...pick(options) });
    if (built!.fault) throw built!.fault;
    await meet(session, built!.generation, options.main);
    await arrive(built!.generation, options);
    return built!.generation;
  } finally {
    await session.close();
  }
}

function pick({ now, progress }: AsideOptions): { now: number; progress?: Progress } {
  return progress ? { now, progress } : { now };
}

/** Streams the session's slot into the state until the main stream takes it over. */
async function meet(session: FeedSession, generation: Generation, main: MainStream): Promise<void> {
  if (main.join(generation)) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let joined = false;
  const look = () => {
    try {
      if (!joined && !generation.torn && main.join(generation)) {
        joined = true;
        resolve();
      }
    } catch (error) {
      reject(error);
    }
  };
  const unwatch = main.watch(look);
  try {
    const handler = handlerInto(generation, () => joined, look, reject);
    const started = session.stream(generation.lsn, handler).then(() => session.poke());
    await Promise.all([started, promise]); // the main stream may end before this one has started
  } finally {
    unwatch();
  }
}

function handlerInto(
  generation: Generation,
  joined: () => boolean,
  look: () => void,
  failed: (error: Error) => void,
): FeedHandler {
  const step = (work: () => void) => {
    if (joined()) return;
    work();
    look();
  };
  return {
    transaction: (transaction) => step(() => generation.transaction(transaction)),
    largeBegin: (xid, commitLsn) => {
      if (!joined()) generation.begin(xid, commitLsn);
    },
    largeSlice: (changes) => {
      if (!joined()) generation.slice(changes);
    },
    largeEnd: ({ lsn }) => {
      const merging = joined() ? undefined : generation.merge();
      const finish = () => step(() => generation.finish(lsn));
      return merging ? merging.then(finish) : finish();
    },
    progress: (lsn) =>
      step(() => {
        if (!generation.torn) generation.lsn = Math.max(generation.lsn, lsn);
      }),
    schemaChanged: () => {}, // the main stream sees the same
    ended: failed,
  };
}

/** Waits until the main stream has come up to the state, so that both stand at one position. */
async function arrive(generation: Generation, { main, watermark, timeoutMs }: AsideOptions): Promise<void> {
  try {
    const { epoch } = watermark.position;
    await watermark.reached({ epoch, lsn: generation.lsn }, timeoutMs);
    if (generation.fault) throw generation.fault;
  } catch (error) {
    main.remove(generation);
    throw error;
  }
}
