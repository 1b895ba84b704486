import {
  type Answer,
  type BitmapQuery,
  type CellChanges,
  changes,
  type Live,
  nowMicros,
  sequenceAt,
  type ViewHandle,
} from '../../src/index.ts';
import { packed } from './protocol.ts';
import { Slice } from './slice.ts';
import type { Tick } from './tick.ts';

/** What a client that comes is told of. */
const HISTORY_MICROS = 120_000_000;
/** Cells a client is sent at once while it is behind. */
const SLICE = 4096;
/** A binary client that is further behind gets the whole canvas. */
const FAR_BEHIND = 50_000;
/** Slices asked for in one reading of a view that cannot answer at once. */
const MAX_ASKED = 32;
/** Milliseconds until it is asked again after it did not answer. */
const RETRY_MS = 100;
const NEWEST = sequenceAt(Number.MAX_SAFE_INTEGER);

/** What one reading of the view found. */
interface Found {
  readonly start: number;
  readonly slices: ReadonlyMap<number, Slice>;
}

export interface SlicesOptions {
  readonly view: ViewHandle<BitmapQuery>;
  readonly live: Live;
  positionOf(sequence: number): string;
}

/**
 * What changed after a sequence number, for clients that are behind. A view in this process answers in the turn in which it is
 * asked, and stands where the last tick ended. One outside of the process is read between two ticks, for all who wait, once at a
 * time; what was sent to the others since the reading began is kept, so that `rest` can tell what its answer does not have.
 */
export class Slices {
  readonly #options: SlicesOptions;
  readonly #ofTurn = new Map<number, Slice>();
  readonly #wanted = new Set<number>();
  #found: Found | null = null;
  #reading = false;
  #retryAt = 0;
  /** Ticks sent since the reading began. */
  #since: Tick[] = [];
  /** Goes up when what is being read is of no use any more. */
  #edition = 0;

  constructor(options: SlicesOptions) {
    this.#options = options;
  }

  /** Where the history of the last two minutes begins; undefined while it is not known. */
  start(): number | undefined {
    const found = this.#options.view.readNow([historyStart()]);
    if (found) return found.results[0];
    if (!this.#found) this.#wanted.add(0);
    return this.#found?.start;
  }

  /** Undefined while it is not known: asked again in a later tick it may be. */
  after(sequence: number): Slice | undefined {
    const known = this.#ofTurn.get(sequence) ?? this.#readNow(sequence) ?? this.#found?.slices.get(sequence);
    if (known) this.#ofTurn.set(sequence, known);
    else this.#wanted.add(sequence);
    return known;
  }

  /** What was sent to live clients that whoever has everything up to `sequence`, by a slice, does not have. */
  rest(sequence: number): Slice | undefined {
    const points = this.#since.map((tick) => tick.pointsAfter(sequence)).filter(({ length }) => length > 0);
    if (points.length === 0) return undefined;
    const newest = this.#since.at(-1)!.sequence;
    return this.#slice(Uint32Array.from(points.flatMap((each) => [...each])), newest, newest, true);
  }

  /** Live clients were sent a tick. */
  sent(tick: Tick): void {
    if (this.#reading || this.#found) this.#since.push(tick);
  }

  /** The clients had their turn. */
  endTurn(): void {
    this.#ofTurn.clear();
    if (this.#found) this.#since = [];
    this.#found = null;
    const wanted = [...this.#wanted].slice(0, MAX_ASKED);
    this.#wanted.clear();
    if (wanted.length > 0 && !this.#reading && performance.now() >= this.#retryAt) this.#read(wanted);
  }

  /** What happened is not known point by point. */
  forget(): void {
    this.#edition++;
    this.#ofTurn.clear();
    this.#found = null;
    this.#since = [];
  }

  #readNow(after: number): Slice | undefined {
    const answer = this.#options.view.readNow([changes({ after, limit: SLICE }), NEWEST]);
    if (!answer) return undefined;
    const [cells, newest] = answer.results;
    return this.#sliceOf(cells, newest, () => {
      const far = this.#options.view.readNow([changes({ after, limit: FAR_BEHIND })]);
      return far !== undefined && !far.results[0].complete;
    });
  }

  /** Not from the record: that may be ahead of what the others are shown. */
  async #read(wanted: readonly number[]): Promise<void> {
    const { view, live } = this.#options;
    if (view.status().state !== 'live') return;
    const edition = this.#edition;
    this.#reading = true;
    try {
      const queries = [NEWEST, ...wanted.map((after) => changes({ after, limit: SLICE }))];
      // Where the history begins the record may tell: it is long ago.
      const [start, answer] = await Promise.all([view.read([historyStart()]), view.read(queries)]);
      const { results, position, source } = answer as Answer<[number, ...CellChanges[]]>;
      if (source !== 'view') throw new Error('the view did not answer');
      // From here on, what is not in the answer is in a tick that was sent since, or in the next one.
      await live.reached(position);
      if (edition === this.#edition) this.#found = this.#foundIn(wanted, start.results[0], results);
    } catch {
      this.#retryAt = performance.now() + RETRY_MS;
    } finally {
      this.#reading = false;
      if (!this.#found) this.#since = [];
    }
  }

  #foundIn(wanted: readonly number[], start: number, [newest, ...found]: readonly [number, ...CellChanges[]]): Found {
    const slices = found.map((cells, i) => {
      const isFar = () => newest - wanted[i]! > FAR_BEHIND;
      return [wanted[i]!, this.#sliceOf(cells, newest, isFar)] as const;
    });
    return { start, slices: new Map(slices) };
  }

  #sliceOf({ cells, codes, sequence, complete }: CellChanges, newest: number, isFar: () => boolean): Slice {
    const points = cells.map((cell, i) => packed(cell, codes[i]!));
    return this.#slice(points, sequence, newest, complete, isFar);
  }

  #slice(points: Uint32Array, sequence: number, newest: number, complete: boolean, isFar = () => false): Slice {
    const position = this.#options.positionOf(sequence);
    return new Slice({ points, sequence, newest, complete, position, isFar: () => !complete && isFar() });
  }
}

function historyStart() {
  return sequenceAt(nowMicros() - HISTORY_MICROS);
}
