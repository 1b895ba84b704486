export interface Series<Name extends string> {
  /** Seconds since 1970. */
  readonly times: readonly number[];
  /** As many values each as there are times; null where there was nothing to measure. */
  readonly series: Readonly<Record<Name, readonly (number | null)[]>>;
}

/** Numbers measured at a steady step, the last `length` of them: 8 bytes each, allocated once. */
export class History<Name extends string> {
  readonly #names: readonly Name[];
  readonly #length: number;
  readonly #times: Float64Array;
  readonly #values: ReadonlyMap<Name, Float64Array>;
  #pushed = 0;

  constructor({ names, length }: { names: readonly Name[]; length: number }) {
    this.#names = names;
    this.#length = length;
    this.#times = new Float64Array(length);
    this.#values = new Map(names.map((name) => [name, new Float64Array(length)]));
  }

  /** `at`: seconds since 1970. NaN: nothing to measure. */
  push(at: number, values: Readonly<Record<Name, number>>): void {
    const place = this.#pushed++ % this.#length;
    this.#times[place] = at;
    for (const name of this.#names) this.#values.get(name)![place] = values[name];
  }

  /** Everything kept, oldest first; of the last `count` steps where that is told. */
  read(count = this.#length): Series<Name> {
    const size = Math.min(this.#pushed, this.#length, count);
    const places = Array.from({ length: size }, (_, i) => (this.#pushed - size + i) % this.#length);
    const of = (values: Float64Array) => places.map((place) => (Number.isNaN(values[place]) ? null : values[place]!));
    const series = Object.fromEntries(this.#names.map((name) => [name, of(this.#values.get(name)!)]));
    return { times: places.map((place) => this.#times[place]!), series: series as Record<Name, (number | null)[]> };
  }
}
