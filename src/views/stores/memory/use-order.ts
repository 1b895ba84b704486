const INITIAL = 256;
/** Slot 0 stands for both ends: after it comes the newest, before it the oldest. */
const ENDS = 0;

/**
 * Slots (integers from 1) in the order of their use. Linked in two typed arrays: with objects, each use writes to three of
 * them at three places of memory (0.3 us a row between requests), here to a few neighbouring bytes.
 */
export class UseOrder {
  #newer = new Uint32Array(INITIAL);
  #older = new Uint32Array(INITIAL);

  /** The slot that was not used the longest; 0 where there is none. */
  get oldest(): number {
    return this.#newer[ENDS]!;
  }

  /** The slot used next after `slot`; 0 after the newest. */
  newerThan(slot: number): number {
    return this.#newer[slot]!;
  }

  /** A slot that is not in it, as used now. */
  add(slot: number): void {
    if (slot >= this.#newer.length) this.#grow(slot);
    const newest = this.#older[ENDS]!;
    this.#older[slot] = newest;
    this.#newer[slot] = ENDS;
    this.#newer[newest] = slot;
    this.#older[ENDS] = slot;
  }

  /** A slot that is in it is used now. */
  use(slot: number): void {
    if (slot === this.#older[ENDS]) return;
    this.remove(slot);
    this.add(slot);
  }

  remove(slot: number): void {
    const newer = this.#newer[slot]!;
    const older = this.#older[slot]!;
    this.#older[newer] = older;
    this.#newer[older] = newer;
  }

  #grow(slot: number): void {
    const length = Math.max(slot + 1, this.#newer.length * 2);
    this.#newer = copied(this.#newer, length);
    this.#older = copied(this.#older, length);
  }
}

function copied(from: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(length);
  to.set(from);
  return to;
}
