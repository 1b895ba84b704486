/** Chunks smaller than this are not worth a read of their own when many come. */
const SMALL_BYTES = 16_384;
/** So many small chunks in a row, each within {@link FAST_MS} of the one before, are load. */
const CHUNKS = 32;
const FAST_MS = 0.5;

/**
 * Decides when reading in larger gulps pays: PostgreSQL sends about one packet for each row, and every read costs several
 * microseconds whatever its size. Only under load, since a pause costs latency: a lone transaction never waits.
 */
export class Gulp {
  #chunks = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** Notes a chunk read at `now` (milliseconds); true when reading should rest for a moment. */
  rest(bytes: number, now: number): boolean {
    const fast = now - this.#last < FAST_MS;
    this.#last = now;
    if (!fast || bytes >= SMALL_BYTES) {
      this.#chunks = 0;
      return false;
    }
    if (++this.#chunks < CHUNKS) return false;
    this.#chunks = 0;
    return true;
  }
}
