const SHIFT = 14;
const CHUNK = 1 << SHIFT;
const MASK = CHUNK - 1;
/** Null in a narrow column; in a wide one it is NaN. */
const NULL32 = -0x8000_0000;

/**
 * Numbers by row number: 4 bytes each while all are 32-bit integers, 8 bytes from the first that is not. Grows a chunk of
 * 16,384 at a time, so that growing never copies. Cannot hold NaN: callers keep it out.
 */
export class NumberColumn {
  #chunks: (Int32Array | Float64Array)[] = [];
  #wide: boolean;

  constructor(options: { wide?: boolean } = {}) {
    this.#wide = options.wide ?? false;
  }

  /** The number of a row that is known to have one. */
  at(row: number): number {
    return this.#chunks[row >>> SHIFT]![row & MASK]!;
  }

  get(row: number): number | null {
    const value = this.at(row);
    return (this.#wide ? Number.isNaN(value) : value === NULL32) ? null : value;
  }

  set(row: number, value: number | null): void {
    if (value !== null && !this.#wide && !fitsNarrow(value)) this.#widen();
    const chunk = this.#chunks[row >>> SHIFT] ?? this.#grow(row >>> SHIFT);
    chunk[row & MASK] = value ?? (this.#wide ? Number.NaN : NULL32);
  }

  get bytes(): number {
    return this.#chunks.length * CHUNK * (this.#wide ? 8 : 4);
  }

  #grow(chunk: number): Int32Array | Float64Array {
    while (this.#chunks.length <= chunk)
      this.#chunks.push(this.#wide ? new Float64Array(CHUNK) : new Int32Array(CHUNK));
    return this.#chunks[chunk]!;
  }

  #widen(): void {
    this.#wide = true;
    this.#chunks = this.#chunks.map((narrow) =>
      Float64Array.from(narrow, (value) => (value === NULL32 ? Number.NaN : value)),
    );
  }
}

/** -0 does not fit: it would come back as 0. */
function fitsNarrow(value: number): boolean {
  return Object.is(value, value | 0) && value !== NULL32;
}
