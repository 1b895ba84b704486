import { binaryFrame, CLOSE, type ServiceContext, textFrames } from '../../src/index.ts';
import type { CanvasFrames } from './canvas-frames.ts';
import { pointsFrame } from './protocol.ts';
import { type Slice, textsOf } from './slice.ts';
import type { Slices } from './slices.ts';
import { type Points, Tick } from './tick.ts';
import type { Viewer } from './viewer.ts';

/** Bytes that may wait for a live client; with more it falls behind, and is told less. */
const MAX_QUEUED = 2 ** 18;
/** A client that is behind is sent more when no more than this waits for it. */
const LOW_QUEUED = 2 ** 15;
/** Milliseconds of a tick that bringing clients up to date may take; the others wait for the next one. */
const CATCH_UP_MS = 10;

export interface AudienceOptions {
  readonly canvas: CanvasFrames;
  readonly slices: Slices;
  readonly log: ServiceContext['log'];
  positionOf(sequence: number): string;
}

/**
 * Clients that are sent to together. The changes of a tick become one frame for all binary clients and one buffer of frames for
 * all JSON clients. Whoever comes, comes back or is too slow is *behind*: it has a sequence number, and gets what changed after
 * it from the view, as fast as it takes it. It joins the others at the end of a tick, when the view stands exactly where their
 * last frame ended: nothing is missed, nothing is sent twice, and nothing is queued for it meanwhile.
 */
export class Audience {
  readonly #canvas: CanvasFrames;
  readonly #slices: Slices;
  readonly #log: AudienceOptions['log'];
  readonly #positionOf: AudienceOptions['positionOf'];
  /** By protocol, so that a tick goes through each in one loop. */
  readonly #json = new Set<Viewer>();
  readonly #binary = new Set<Viewer>();
  readonly #waiting = new Set<Viewer>();
  #tick = new Tick({ after: 0 });
  /** Of the last change that live clients were sent. */
  #sent = 0;
  /** When its last tick ended, by `performance.now()`, and milliseconds that sending it took. */
  flushedAt = 0;
  tookMs = 0;

  constructor({ canvas, slices, log, positionOf }: AudienceOptions) {
    this.#canvas = canvas;
    this.#slices = slices;
    this.#log = log;
    this.#positionOf = positionOf;
  }

  get size(): number {
    return this.#json.size + this.#binary.size + this.#waiting.size;
  }

  /** Whether somebody is to be sent something. */
  get hasWork(): boolean {
    return !this.#tick.isEmpty || this.#waiting.size > 0;
  }

  /** From now on the client is shown the canvas; from `sequence` on, or from the start. */
  add(viewer: Viewer, sequence: number | undefined): void {
    viewer.sequence = sequence ?? -1;
    viewer.state = viewer.binary && sequence === undefined ? 'empty' : 'behind';
    this.#waiting.add(viewer);
  }

  remove(viewer: Viewer): void {
    this.#json.delete(viewer);
    this.#binary.delete(viewer);
    this.#waiting.delete(viewer);
  }

  /** Sends a text's frame to all binary clients. */
  tell(frame: Buffer): void {
    for (const viewers of [this.#binary, this.#waiting])
      for (const { binary, socket } of viewers) if (binary && socket.queuedBytes < MAX_QUEUED) socket.write(frame);
  }

  /** False where they do not come after those it has. */
  take(points: Points): boolean {
    return this.#tick.take(points);
  }

  /** Ends a tick. */
  flush(): void {
    this.flushedAt = performance.now();
    this.#send();
    this.#bringUp();
    this.#slices.endTurn();
    this.tookMs = performance.now() - this.flushedAt;
  }

  /** What happened is not known point by point, but the view knows what is newer than what was sent. */
  fallBehind(): void {
    this.#tick = new Tick({ after: this.#sent });
    this.#slices.forget();
    for (const viewers of [this.#json, this.#binary]) for (const viewer of viewers) this.#drop(viewer);
  }

  /** What clients show is of no use, and a JSON client has no word for that. */
  restart(): void {
    this.#sent = 0;
    this.fallBehind();
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

  #send(): void {
    const tick = this.#tick;
    if (tick.isEmpty) return;
    const { points } = tick;
    if (this.#json.size > 0) this.#sendAll(this.#json, textFrames(textsOf(points)));
    if (this.#binary.size > 0)
      this.#sendAll(this.#binary, binaryFrame(pointsFrame(this.#positionOf(tick.sequence), points)));
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

  /** Or has it made: then a later tick sends it. */
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
