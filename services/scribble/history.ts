import { ClientError, microsToIso, type PgRecord, type RecordReader } from '../../src/index.ts';
import { HEIGHT, PALETTE, PAPER, WIDTH } from './canvas.ts';
import { animatedPng, type Frame, indexedPng } from './png.ts';
import { codeOf } from './protocol.ts';
import { EARLIEST } from './time.ts';

/** Points read at once: an answer is handled in one turn of the event loop. */
const PAGE = 20_000;
/** Points one time-lapse may show. */
const MAX_POINTS = 5_000_000;

/** The colours by code: 0 is the paper. */
const COLORS = [PAPER, ...PALETTE];

interface PointRow {
  readonly point_id: number;
  readonly index: number;
  readonly color: number | null;
  /** Microseconds since 1970 UTC. */
  readonly drawn_at: number;
}

/** Times in microseconds since 1970 UTC. */
export interface TimelapseOptions {
  /** The first point's time unless told. */
  readonly from?: number | undefined;
  readonly to: number;
  readonly frames: number;
  readonly frameMs: number;
}

/** The canvas as it was, from the points in the record. */
export class CanvasHistory {
  readonly #record: PgRecord;

  constructor({ record }: { record: PgRecord }) {
    this.#record = record;
  }

  /** The canvas at a time, in colour. */
  async png(at: number): Promise<Buffer> {
    return indexedPng({ width: WIDTH, height: HEIGHT, codes: await this.codesAt(at), palette: COLORS });
  }

  /** One byte a cell: 0 is clear, otherwise the colour + 1. */
  async codesAt(at: number): Promise<Uint8Array> {
    const codes = new Uint8Array(WIDTH * HEIGHT);
    let after = -1;
    for (;;) {
      const cells = await cellsAt(this.#record, at, after);
      for (const { index, color } of cells) codes[index] = codeOf(color);
      if (cells.length < PAGE) return codes;
      after = cells.at(-1)!.index;
    }
  }

  /** How the canvas came about, as an animated PNG: `frames` pictures at even distances of time. Throws 400. */
  async timelapse(options: TimelapseOptions): Promise<Buffer> {
    const { from, to } = await this.#range(options);
    const codes = await this.codesAt(from);
    const film = new Film(codes);
    const endOf = (frame: number) => from + ((to - from) * frame) / options.frames;
    for await (const page of this.#points(from, to)) {
      for (const { index, color, drawn_at } of page) {
        while (film.cuts + 1 < options.frames && drawn_at > endOf(film.cuts + 1)) film.cut();
        film.draw(index, codeOf(color));
      }
    }
    while (film.cuts < options.frames) film.cut();
    return animatedPng({ frames: film.frames, palette: COLORS, frameMs: options.frameMs });
  }

  async #range({ from, to }: TimelapseOptions): Promise<{ from: number; to: number }> {
    const [first] = await this.#record.query<PointRow>(
      'select drawn_at from scribble.points order by point_id limit 1',
    );
    const start = from ?? Math.max(EARLIEST, Math.min((first?.drawn_at ?? to) - 1, to - 1));
    if (start >= to) throw new ClientError(400, 'from must be before to.');
    const [found] = await this.#record.query<{ points: number }>(
      `select count(*) as points from (
        select from scribble.points where drawn_at > $1 and drawn_at <= $2 limit ${MAX_POINTS + 1}) as found`,
      [microsToIso(start), microsToIso(to)],
    );
    if (found!.points > MAX_POINTS)
      throw new ClientError(400, `More than ${MAX_POINTS} points were drawn in that time; ask for a shorter one.`);
    return { from: start, to };
  }

  /** The points of a time in their order, page by page. Rows are only ever added, behind these. */
  async *#points(from: number, to: number): AsyncIterable<readonly PointRow[]> {
    let after = 0;
    for (;;) {
      const page = await this.#record.query<PointRow>(
        `select point_id, index, color, drawn_at from scribble.points
          where point_id > $1 and drawn_at > $2 and drawn_at <= $3 order by point_id limit ${PAGE}`,
        [after, microsToIso(from), microsToIso(to)],
      );
      yield page;
      if (page.length < PAGE) return;
      after = page.at(-1)!.point_id;
    }
  }
}

/** Each cell's newest point up to a time, in the order of the cells. */
function cellsAt(reader: RecordReader, at: number, after: number): Promise<Pick<PointRow, 'index' | 'color'>[]> {
  return reader.query(
    `select distinct on (index) index, color from scribble.points
      where drawn_at <= $1 and index > $2 order by index, point_id desc limit ${PAGE}`,
    [microsToIso(at), after],
  );
}

/** Pictures of a canvas on which points are drawn; all but the first are the rectangle that changed. */
class Film {
  readonly frames: Frame[];
  readonly #codes: Uint8Array;
  #left = WIDTH;
  #top = HEIGHT;
  #right = -1;
  #bottom = -1;

  constructor(codes: Uint8Array) {
    this.#codes = codes;
    this.frames = [{ x: 0, y: 0, width: WIDTH, height: HEIGHT, codes: codes.slice() }];
  }

  /** Pictures after the first. */
  get cuts(): number {
    return this.frames.length - 1;
  }

  draw(index: number, code: number): void {
    this.#codes[index] = code;
    const x = index % WIDTH;
    const y = (index - x) / WIDTH;
    this.#left = Math.min(this.#left, x);
    this.#right = Math.max(this.#right, x);
    this.#top = Math.min(this.#top, y);
    this.#bottom = Math.max(this.#bottom, y);
  }

  cut(): void {
    const changed = this.#right >= 0;
    const [x, y] = changed ? [this.#left, this.#top] : [0, 0];
    const width = changed ? this.#right - x + 1 : 1;
    const height = changed ? this.#bottom - y + 1 : 1;
    const codes = new Uint8Array(width * height);
    for (let row = 0; row < height; row++) {
      const start = (y + row) * WIDTH + x;
      codes.set(this.#codes.subarray(start, start + width), row * width);
    }
    this.frames.push({ x, y, width, height, codes });
    [this.#left, this.#top, this.#right, this.#bottom] = [WIDTH, HEIGHT, -1, -1];
  }
}
