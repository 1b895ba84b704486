import type { FeedSession, Source } from '../changes/feed.ts';
import type { LazyView } from '../views/lazy.ts';
import type { ViewDefinition } from '../views/view.ts';
import { Generation } from './generation.ts';
import type { Progress } from './live.ts';

export interface BuildResult {
  readonly generation: Generation;
  /** Why this view could not be built; the others are. */
  readonly fault: Error | null;
}

export interface BuildOptions {
  readonly session: FeedSession;
  readonly definitions: readonly ViewDefinition<never>[];
  /** Microseconds: what the views let go of by now is not carried further. */
  readonly now: number;
  readonly progress?: Progress;
}

/** Builds new states of views from a session's snapshot, reading each table once for all of them. */
export async function buildFromSnapshot(options: BuildOptions): Promise<BuildResult[]> {
  const { session, definitions, progress } = options;
  const snapshot = session.snapshot;
  if (!snapshot) throw new Error('building views needs a session with a snapshot');
  const generations = definitions.map((definition) => new Generation(definition));
  for (const { state, loaded } of generations) if (!loaded) (state as LazyView<never>).begins(snapshot.visible);
  const sources = mergeSources(definitions.filter((definition) => !definition.lazy));
  const estimates = progress ? await Promise.all(sources.map((source) => snapshot.estimate(source.table))) : [];
  const expected = estimates.reduce((sum, rows) => sum + rows, 0);
  let rows = 0;
  for (const source of sources) {
    const readers = generations.filter((generation) => generation.loaded && generation.tables.has(source.table));
    await readInto(readers, session, source, (block) => {
      rows += block;
      progress?.(rows, Math.max(rows, expected));
    });
  }
  await Promise.all(generations.map((generation) => finish(generation, session.start, options.now)));
  return generations.map((generation) => ({ generation, fault: generation.fault }));
}

async function readInto(
  readers: readonly Generation[],
  session: FeedSession,
  source: Source,
  count: (rows: number) => void,
): Promise<void> {
  await session.snapshot!.read(source, (rows) => {
    for (const generation of readers) attempt(generation, () => generation.state.load(source.table, rows));
    count(rows.length);
  });
}

async function finish(generation: Generation, lsn: number, now: number): Promise<void> {
  if (generation.fault) return;
  try {
    generation.state.expire?.(now); // what would be let go of at once is not built first
    await generation.state.loaded();
    generation.lsn = lsn;
  } catch (error) {
    generation.fault = error as Error;
  }
}

function attempt(generation: Generation, work: () => void): void {
  if (generation.fault) return;
  try {
    work();
  } catch (error) {
    generation.fault = error as Error;
  }
}

/** One source a table, with all the columns that any view wants of it. */
export function mergeSources(definitions: readonly { readonly sources: readonly Source[] }[]): Source[] {
  const merged = new Map<string, Set<string> | null>();
  for (const { table, columns } of definitions.flatMap((definition) => definition.sources)) {
    const known = merged.get(table);
    if (!columns || known === null) merged.set(table, null);
    else merged.set(table, new Set([...(known ?? []), ...columns]));
  }
  return [...merged].map(([table, columns]) => (columns ? { table, columns: [...columns] } : { table }));
}
