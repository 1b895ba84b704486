/** A cell and its code. */
export type Dot = readonly [cell: number, code: number];

/** Points in one frame, and milliseconds between two frames: below the rate that the server takes unless it says. */
const FRAME_POINTS = 60;
const FRAME_MS = 33;

/**
 * What was drawn here and is not known to be in the record: sent in small frames, kept until each is acknowledged, sent again
 * when the connection is back. Shown at once, over what the canvas holds.
 */
export class Strokes {
  /** The newest code of each cell that is not acknowledged, and by how many points. */
  readonly #over = new Map<number, { code: number; points: number }>();
  readonly #waiting: Dot[] = [];
  readonly #unstored = new Map<number, readonly Dot[]>();
  readonly #send: (frame: Uint8Array<ArrayBuffer>) => boolean;
  #framePoints = FRAME_POINTS;
  #frameMs = FRAME_MS;
  #next = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `send` returns false where there is no connection. */
  constructor(options: { send(frame: Uint8Array<ArrayBuffer>): boolean }) {
    this.#send = options.send;
  }

  /** Points that are not known to be in the record. */
  get unstored(): number {
    let points = this.#waiting.length;
    for (const dots of this.#unstored.values()) points += dots.length;
    return points;
  }

  codeOver(cell: number): number | undefined {
    return this.#over.get(cell)?.code;
  }

  /** As the server's hello has it. */
  pace({ pointsAtOnce, cooldownMs }: { readonly pointsAtOnce: number; readonly cooldownMs: number }): void {
    this.#framePoints = Math.min(FRAME_POINTS, pointsAtOnce);
    this.#frameMs = Math.max(FRAME_MS, cooldownMs);
  }

  add(dots: readonly Dot[]): void {
    for (const dot of dots) {
      const [cell, code] = dot;
      this.#over.set(cell, { code, points: (this.#over.get(cell)?.points ?? 0) + 1 });
      this.#waiting.push(dot);
    }
    this.#schedule();
  }

  /** The server has stored a frame, or will not: its points need not be sent again. */
  stored(id: number): readonly Dot[] {
    const dots = this.#unstored.get(id) ?? [];
    this.#unstored.delete(id);
    return dots;
  }

  /** These points are no longer shown over the canvas. Returns their cells. */
  uncover(dots: readonly Dot[]): readonly number[] {
    for (const [cell] of dots) {
      const over = this.#over.get(cell);
      if (over && --over.points === 0) this.#over.delete(cell);
    }
    return dots.map(([cell]) => cell);
  }

  /** The server did not take a frame for now: it goes behind what waits. */
  again(id: number): void {
    const dots = this.#unstored.get(id);
    this.#unstored.delete(id);
    if (dots) this.#waiting.push(...dots);
    this.#schedule(Math.max(1000, this.#frameMs));
  }

  /** The connection is back: everything that was not acknowledged is sent again, in its order. */
  resume(): void {
    this.#waiting.unshift(...[...this.#unstored.values()].flat());
    this.#unstored.clear();
    this.#schedule();
  }

  #schedule(ms = this.#frameMs): void {
    this.#timer ??= setTimeout(() => this.#flush(), ms);
  }

  #flush(): void {
    this.#timer = undefined;
    const dots = this.#waiting.slice(0, this.#framePoints);
    if (dots.length === 0 || !this.#send(frameOf(this.#next, dots))) return;
    this.#waiting.splice(0, dots.length);
    this.#unstored.set(this.#next++, dots);
    if (this.#waiting.length > 0) this.#schedule();
  }
}

function frameOf(id: number, dots: readonly Dot[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + dots.length * 4);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 1);
  view.setUint8(1, 8);
  view.setUint32(4, id, true);
  for (const [i, [cell, code]] of dots.entries()) view.setUint32(8 + i * 4, cell | (code << 20), true);
  return bytes;
}
