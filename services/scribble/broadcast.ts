import {
  type BitmapQuery,
  type Live,
  type LiveListener,
  type ServiceContext,
  type Transaction,
  textFrames,
  type ViewHandle,
} from '../../src/index.ts';
import { Audience } from './audience.ts';
import { CanvasFrames } from './canvas-frames.ts';
import type { Settings } from './settings.ts';
import { Slices } from './slices.ts';
import { CELLS, pointsOf } from './tick.ts';
import type { Viewer } from './viewer.ts';

/** With more clients than these hold, audiences are larger: each keeps the points of its tick. */
const MAX_AUDIENCES = 32;

export interface BroadcastOptions {
  readonly view: ViewHandle<BitmapQuery>;
  readonly live: Live;
  readonly log: ServiceContext['log'];
  readonly settings: Pick<Settings, 'tickMs' | 'sentAtOnce'>;
}

/**
 * Shows every client what the view has applied, and only that, so that nothing shown can be lost. Each client is sent to once a
 * tick, but not all at once: audience after audience, so that points are taken and made durable in between, and a client waits
 * for its own tick and not for all others before it.
 */
export class Broadcast implements LiveListener {
  readonly #options: BroadcastOptions;
  readonly #canvas: CanvasFrames;
  readonly #audiences: Audience[] = [];
  readonly #audienceOf = new Map<Viewer, Audience>();
  #epoch: string;
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  #closed = false;

  constructor(options: BroadcastOptions) {
    this.#options = options;
    this.#epoch = options.live.watermark.epoch;
    this.#canvas = new CanvasFrames({ view: options.view, position: (sequence) => this.positionOf(sequence) });
  }

  /** Where a client stands that has everything up to a sequence number: opaque to it. */
  positionOf(sequence: number): string {
    return `${this.#options.live.watermark.epoch}-${sequence.toString(36)}`;
  }

  /** The sequence number in a client's position; undefined for a position of another record, or none. */
  sequenceOf(position: string): number | undefined {
    const [, epoch, digits] = /^([0-9a-z]{1,32})-([0-9a-z]{1,11})$/.exec(position) ?? [];
    const sequence = Number.parseInt(digits ?? '', 36);
    return epoch === this.#options.live.watermark.epoch && Number.isSafeInteger(sequence) ? sequence : undefined;
  }

  /** From now on the client is shown the canvas; from `sequence` on, or from the start. Undo with `remove`. */
  add(viewer: Viewer, sequence: number | undefined): void {
    const audience = this.#smallest();
    this.#audienceOf.set(viewer, audience);
    audience.add(viewer, sequence);
    this.#schedule();
  }

  remove(viewer: Viewer): void {
    const audience = this.#audienceOf.get(viewer);
    if (!audience) return;
    this.#audienceOf.delete(viewer);
    audience.remove(viewer);
    if (audience.size === 0) this.#audiences.splice(this.#audiences.indexOf(audience), 1);
  }

  /** Sends a text to all binary clients. */
  tell(text: string): void {
    const frame = textFrames([text]);
    for (const audience of [...this.#audiences]) audience.tell(frame);
  }

  transaction({ changes: all }: Transaction): void {
    const cells = all.filter((change) => change.table.name === CELLS);
    if (cells.length === 0) return;
    const points = pointsOf(cells);
    if (points && this.#audiences.every((audience) => audience.take(points))) this.#schedule();
    else this.#restart('cells were changed other than by points');
  }

  /** What happened is not known point by point, but the view knows what is newer than what was sent. */
  resync(): void {
    if (this.#options.live.watermark.epoch !== this.#epoch) this.#restart('it is another record');
    else for (const audience of [...this.#audiences]) audience.fallBehind();
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer as NodeJS.Timeout);
    clearImmediate(this.#timer as NodeJS.Immediate);
  }

  /** Points are gone, or it is another record. */
  #restart(reason: string): void {
    this.#options.log.warn({ reason }, 'the canvas is sent anew to everybody');
    this.#epoch = this.#options.live.watermark.epoch;
    this.#canvas.forget();
    for (const audience of [...this.#audiences]) audience.restart();
    this.#schedule();
  }

  /** Where a client is best put. */
  #smallest(): Audience {
    let found: Audience | undefined;
    for (const audience of this.#audiences) if (!found || audience.size < found.size) found = audience;
    const { view, live, log, settings } = this.#options;
    if (found && (found.size < settings.sentAtOnce || this.#audiences.length === MAX_AUDIENCES)) return found;
    const positionOf = (sequence: number) => this.positionOf(sequence);
    const added = new Audience({
      canvas: this.#canvas,
      slices: new Slices({ view, live, positionOf }),
      log,
      positionOf,
    });
    this.#audiences.push(added);
    return added;
  }

  /** At the end of the first audience's tick; those whose ticks have ended take turns with what else there is to do. */
  #schedule(): void {
    if (this.#timer || this.#closed) return;
    const next = this.#next();
    if (!next) return;
    const wait = next.flushedAt + this.#period() - performance.now();
    const flush = () => this.#flush();
    this.#timer = wait >= 1 ? setTimeout(flush, wait) : setImmediate(flush);
  }

  #flush(): void {
    this.#timer = undefined;
    this.#next()?.flush();
    this.#schedule();
  }

  /** The audience with something to be sent whose last tick ended the longest ago. */
  #next(): Audience | undefined {
    let found: Audience | undefined;
    for (const audience of this.#audiences)
      if (audience.hasWork && (!found || audience.flushedAt < found.flushedAt)) found = audience;
    return found;
  }

  /** Milliseconds of a tick; more where sending would take most of them. */
  #period(): number {
    const took = this.#audiences.reduce((sum, { tookMs }) => sum + tookMs, 0);
    return Math.max(this.#options.settings.tickMs, took * 1.25);
  }
}
