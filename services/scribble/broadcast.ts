import {
  type BitmapQuery,
  binaryFrame,
  CLOSE,
  type Live,
  type LiveListener,
  type ServiceContext,
  type Transaction,
  textFrames,
  type ViewHandle,
} from '../../src/index.ts';
import { CanvasFrames } from './canvas-frames.ts';
import { pointsFrame } from './protocol.ts';
import { type Slice, textsOf } from './slice.ts';
import { Slices } from './slices.ts';
import { CELLS, Tick } from './tick.ts';
import type { Viewer } from './viewer.ts';

/** Bytes that may wait for a live client; with more it falls behind, and is told less. */
const MAX_QUEUED = 2 ** 18;
/** A client that is behind is sent more when no more than this waits for it. */
const LOW_QUEUED = 2 ** 15;
/** Milliseconds of a tick that bringing clients up to date may take; the others wait for the next one. */
const CATCH_UP_MS = 10;

export interface BroadcastOptions {
  readonly view: ViewHandle<BitmapQuery>;
  readonly live: Live;
  readonly log: ServiceContext['log'];
  readonly tickMs: number;
}

/**
 * Shows every client what the view has applied, and only that, so that nothing shown can be lost. Once a tick the changes of that
 * time become one frame for all binary clients and one buffer of frames for all JSON clients. Whoever comes, comes back or is
 * too slow is *behind*: it has a sequence number, and gets what changed after it from the view, as fast as it takes it. It joins
 * the others at the end of a tick, when the view stands exactly where their last frame ended: nothing is missed, nothing is
 * sent twice, and nothing is queued for it meanwhile.
 */
export class Broadcast implements LiveListener {
  readonly #live: Live;
  readonly #log: ServiceContext['log'];
  readonly #tickMs: number;
  readonly #canvas: CanvasFrames;
  readonly #slices: Slices;
  /** By protocol, so that a tick goes through each in one loop. */
  readonly #json = new Set<Viewer>();
  readonly #binary = new Set<Viewer>();
  readonly #waiting = new Set<Viewer>();
  #tick = new Tick({ after: 0 });
  /** Of the last change that live clients were sent. */
  #sent = 0;
  #epoch: string;
  #timer: NodeJS.Timeout | undefined;
  #flushedAt = 0;
  #tookMs = 0;
  #closed = false;

  constructor({ view, live, log, tickMs }: BroadcastOptions) {
    this.#live = live;
    this.#log = log;
    this.#tickMs = tickMs;
    this.#epoch = live.watermark.epoch;
    this.#canvas = new CanvasFrames({ view, position: (sequence) => this.positionOf(sequence) });
    this.#slices = new Slices({ view, live, positionOf: (sequence) => this.positionOf(sequence) });
  }

  /** Where a client stands that has everything up to a sequence number: opaque to it. */
  positionOf(sequence: number): string {
    return `${this.#live.watermark.epoch}-${sequence.toString(36)}`;
  }

  /** The sequence number in a client's position; undefined for a position of another record, or none. */
  sequenceOf(position: string): number | undefined {
    const [, epoch, digits] = /^([0-9a-z]{1,32})-([0-9a-z]{1,11})$/.exec(position) ?? [];
    const sequence = Number.parseInt(digits ?? '', 36);
    return epoch === this.#live.watermark.epoch && Number.isSafeInteger(sequence) ? sequence : undefined;
  }

  /** From now on the client is shown the canvas; from `sequence` on, or from the start. Undo with `remove`. */
  add(viewer: Viewer, sequence: number | undefined): void {
    viewer.sequence = sequence ?? -1;
    viewer.state = viewer.binary && sequence === undefined ? 'empty' : 'behind';
    this.#waiting.add(viewer);
    this.#schedule();
  }

  remove(viewer: Viewer): void {
    this.#json.delete(viewer);
    this.#binary.delete(viewer);
    this.#waiting.delete(viewer);
  }

  /** Sends a text to all binary clients. */
  tell(text: string): void {
    const frame = textFrames([text]);
    for (const viewers of [this.#binary, this.#waiting])
      for (const { binary, socket } of viewers) if (binary && socket.queuedBytes < MAX_QUEUED) socket.write(frame);
  }

  transaction({ changes: all }: Transaction): void {
    const cells = all.filter((change) => change.table.name === CELLS);
    if (cells.length === 0) return;
    if (cells.every((change) => this.#tick.take(change))) this.#schedule();
    else this.#restart('cells were changed other than by points');
  }

  /** What happened is not known point by point, but the view knows what is newer than what was sent. */
  resync(): void {
    if (this.#live.watermark.epoch === this.#epoch) this.#fallBehind();
    else this.#restart('it is another record');
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #fallBehind(): void {
    this.#tick = new Tick({ after: this.#sent });
    this.#slices.forget();
    for (const viewers of [this.#json, this.#binary]) for (const viewer of viewers) this.#drop(viewer);
    this.#schedule();
  }

  /** Points are gone, or it is another record: what clients show is of no use, and a JSON client has no word for that. */
  #restart(reason: string): void {
    this.#log.warn({ reason }, 'the canvas is sent anew to everybody');
    this.#epoch = this.#live.watermark.epoch;
    this.#sent = 0;
    this.#canvas.forget();
    this.#fallBehind();
    for (const viewer of [...this.#waiting]) {
      if (viewer.binary) viewer.state = 'empty';
      else viewer.socket.close(CLOSE.restart, 'the canvas was restored; connect again');
    }
  }

  #drop(viewer: Viewer): void {
    this.remove(viewer);
    viewer.state = 'behind';
    viewer.sequence = this.#sent;
    this.#waiting.add(viewer);
  }

  /** At the end of the tick, or later where sending takes most of the time. */
  #schedule(): void {
    if (this.#timer || this.#closed) return;
    const due = this.#flushedAt + Math.max(this.#tickMs, this.#tookMs * 1.25) - performance.now();
    this.#timer = setTimeout(() => this.#flush(), Math.max(0, due));
  }

  #flush(): void {
    this.#timer = undefined;
    this.#flushedAt = performance.now();
    this.#send();
    this.#bringUp();
    this.#slices.endTurn();
    this.#tookMs = performance.now() - this.#flushedAt;
    if (this.#waiting.size > 0) this.#schedule();
  }

  #send(): void {
    const tick = this.#tick;
    if (tick.isEmpty) return;
    const { points } = tick;
    if (this.#json.size > 0) this.#sendAll(this.#json, textFrames(textsOf(points)));
    if (this.#binary.size > 0)
      this.#sendAll(this.#binary, binaryFrame(pointsFrame(this.positionOf(tick.sequence), points)));
    this.#slices.sent(tick);
    this.#sent = tick.sequence;
    this.#tick = new Tick({ after: this.#sent });
  }

  #sendAll(viewers: ReadonlySet<Viewer>, frames: Buffer): void {
    for (const viewer of viewers) {
      const { socket } = viewer;
      const queued = socket.queuedBytes;
      if (queued > 0 && queued + frames.length > MAX_QUEUED) this.#drop(viewer);
      else socket.write(frames);
    }
  }

  #bringUp(): void {
    const until = performance.now() + CATCH_UP_MS;
    for (const viewer of [...this.#waiting]) {
      if (performance.now() > until) return;
      if (viewer.socket.queuedBytes > LOW_QUEUED) continue;
      // Whoever has had a turn waits behind those who have not.
      this.#waiting.delete(viewer);
      this.#waiting.add(viewer);
      if (viewer.state === 'empty') this.#sendCanvas(viewer);
      else this.#sendSlice(viewer);
    }
  }

  /** Or has it made: then the next tick sends it. */
  #sendCanvas(viewer: Viewer): void {
    const { current } = this.#canvas;
    if (!current) {
      this.#canvas.make().catch((error) => this.#log.error({ err: error }, 'the canvas could not be compressed'));
      return;
    }
    viewer.socket.write(current.bytes);
    viewer.sequence = current.sequence;
    viewer.state = 'behind';
  }

  /** Or, where that is not known yet, a later tick does. */
  #sendSlice(viewer: Viewer): void {
    if (viewer.sequence < 0) viewer.sequence = this.#slices.start() ?? -1;
    if (viewer.sequence < 0) return;
    const slice = this.#slices.after(viewer.sequence);
    if (!slice) return;
    if (viewer.sequence > slice.newest || (viewer.binary && slice.isFar())) {
      // Of no use where it is: a position that was never given out, or one too long ago.
      viewer.sequence = -1;
      if (viewer.binary) viewer.state = 'empty';
      return;
    }
    this.#write(viewer, slice);
    if (!slice.complete) return;
    const rest = this.#slices.rest(viewer.sequence);
    if (rest) this.#write(viewer, rest);
    this.#goLive(viewer);
  }

  #write(viewer: Viewer, slice: Slice): void {
    if (slice.points.length > 0) viewer.socket.write(viewer.binary ? slice.frame() : slice.texts());
    viewer.sequence = slice.sequence;
  }

  /** It has what live clients were sent, and nothing came in between, in this turn of the event loop. */
  #goLive(viewer: Viewer): void {
    this.#waiting.delete(viewer);
    viewer.state = 'live';
    (viewer.binary ? this.#binary : this.#json).add(viewer);
    this.#sent = Math.max(this.#sent, viewer.sequence);
  }
}
