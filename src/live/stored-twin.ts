import type { Position } from '../changes/position.ts';
import type { Key } from '../views/lazy.ts';
import type { StoredKind } from '../views/stored.ts';
import type { ViewDefinition } from '../views/view.ts';
import type { LazyStore } from './stored-lazy-reads.ts';

/**
 * How to build the state that a stored view is compared with by `verify`: of one that is filled on demand, loaded with the rows
 * that its buckets hold now.
 */
export async function twinOf(
  definition: ViewDefinition<never>,
  store: LazyStore,
  at: Position,
): Promise<ViewDefinition<never>> {
  const { lazy, ...loaded } = definition;
  if (!lazy) return definition;
  const kind = definition.stored as unknown as StoredKind;
  const keys = await heldKeys(kind, store, at);
  return { ...loaded, build: () => kind.lazy!.twin(keys) };
}

async function heldKeys({ lazy, buckets }: StoredKind, store: LazyStore, at: Position): Promise<Set<Key>> {
  const held = new Set<Key>();
  for (let bucket = 0; bucket < buckets; bucket++) {
    let cursor: string | undefined;
    do {
      const asked = await store.ask([lazy!.page(bucket, cursor)], at);
      if (!asked) throw new Error('the store does not tell what it holds: it is away, or being filled');
      const { keys, next } = lazy!.paged(asked.replies[0]);
      for (const key of keys) held.add(key);
      cursor = next;
    } while (cursor !== undefined);
  }
  return held;
}
