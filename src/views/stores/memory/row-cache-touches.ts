import { type Commit, isBefore, type Snapshot, showsAllOf } from '../../../changes/visibility.ts';
import type { Key, Lease, Seen } from '../../lazy.ts';

/** Keys whose last change is remembered. */
const MAX_KEYS = 65_536;
const A_MILLION = 1_000_000;

/** What a reading must see, as of its beginning. */
export interface Expected {
  readonly commit: Commit | undefined;
  readonly floor: Commit | null;
}

/**
 * The last change of each key until readings are known to see it: what decides whether a row that was read is as new as what
 * was applied (CORRECTNESS 11). Beyond the bound the oldest are forgotten, and the floor raised: a reading that does not see
 * everything up to the floor is refused altogether.
 */
export class Touches {
  readonly #lease: Lease;
  readonly #maxKeys: number;
  /** In the order of the changes. */
  readonly #last = new Map<Key, Commit>();
  #floor: Commit | null = null;
  /** What committed before this state began: no change of it will come, so readings must see it. */
  #before: Snapshot | null = null;

  constructor({ lease, maxKeys = MAX_KEYS }: { lease: Lease; maxKeys?: number }) {
    this.#lease = lease;
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#last.size + (this.#floor ? 1 : 0);
  }

  begins(before: Snapshot): void {
    this.#before = before;
  }

  note(key: Key, commit: Commit): void {
    this.#last.delete(key); // to the end
    this.#last.set(key, commit);
    if (this.#last.size <= this.#maxKeys) return;
    const [[oldest, dropped]] = this.#last as unknown as [[Key, Commit]];
    this.#last.delete(oldest);
    this.#raise(dropped);
  }

  /** Every key was changed. Who sees that sees what came before: emptying a table waits for its writers. */
  noteAll(commit: Commit): void {
    this.#last.clear();
    this.#raise(commit);
  }

  /** What a reading that begins now is measured by, when it has arrived. */
  expected(key: Key): Expected {
    return { commit: this.#last.get(key), floor: this.#floor };
  }

  /** Whether a reading sees all it must: the key's last change, what was forgotten, what came before this state. */
  admits(seen: Seen, { commit, floor }: Expected): boolean {
    if (commit && !this.#lease.includes(seen, commit)) return false;
    if (floor && !this.#lease.includesAllTo(seen, floor)) return false;
    return this.#before === null || showsAllOf(seen.snapshot, this.#before);
  }

  /** What this reading sees, every later one does. */
  forget(seen: Seen): void {
    // No reading under way is so old; and transaction ids go round.
    if (this.#before && isBefore(this.#before.xmax + A_MILLION, seen.snapshot.xmin)) this.#before = null;
    if (this.#floor && this.#lease.includesAllTo(seen, this.#floor)) this.#floor = null;
    for (const [key, commit] of this.#last) {
      if (!this.#lease.includes(seen, commit)) return;
      this.#last.delete(key);
    }
  }

  #raise(commit: Commit): void {
    if (!this.#floor || isBefore(this.#floor.xid, commit.xid)) this.#floor = commit;
  }
}
