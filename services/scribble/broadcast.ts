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

/** By the number they follow, as read for one tick; and where history begins. */
interface Slices extends Map<number, Slice> {
  since?: Promise<number>;
}

/**
 * Shows every client what the view has applied, and only that, so that nothing shown can be lost. Once a tick the changes of that
 * time become one frame for all binary clients and one buffer of frames for all JSON clients. Whoever comes, comes back or is
 * too slow is *behind*: it has a sequence number, and gets what changed after it from the view, as fast as it takes it. It joins
 * the others when it has at least what their last frame ended with. It may have more, since the view may be ahead of what was
 * told: then it is *ahead*, and of the next frames gets only the rest. So nothing is missed, nothing is sent twice, and nothing
 * is queued for it meanwhile.
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
  /** Live ones that have more than was sent to all. */
  readonly #ahead = new Set<Viewer>();
  #tick = new Tick({ after: 0 });
  /** Of the last change that live clients were sent. */
  #sent = 0;
  #epoch: string;
  #timer: NodeJS.Timeout | undefined;
  #flushedAt = 0;
  #tookMs = 0;
  #closed = false;
  #isBringingUp = false;
  /** Sent since it began. */
  readonly #recent: Tick[] = [];
  /** Goes up when what is being read is of no use any more. */
  #edition = 0;

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
    this.#ahead.delete(viewer);
  }

  /** Sends a text to all binary clients. */
  tell(text: string): void {
    const frame = textFrames([text]);
    for (const viewers of [this.#binary, this.#ahead, this.#waiting])
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
    this.#edition++;
    this.#tick = new Tick({ after: this.#sent });
<<<<<<< HEAD
    for (const viewers of [this.#json, this.#binary, this.#ahead]) for (const viewer of viewers) this.#drop(viewer);
=======
    this.#slices.forget();
    for (const viewers of [this.#json, this.#binary]) for (const viewer of viewers) this.#drop(viewer);
>>>>>>> valkey
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
    viewer.sequence = Math.max(this.#sent, viewer.sequence);
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
<<<<<<< HEAD
=======
    this.#bringUp();
    this.#slices.endTurn();
>>>>>>> valkey
    this.#tookMs = performance.now() - this.#flushedAt;
    if (this.#waiting.size > 0) void this.#bringUp();
  }

  #send(): void {
    const tick = this.#tick;
    if (tick.isEmpty) return;
    const { points } = tick;
    const joining = [...this.#ahead].filter((viewer) => tick.sequence >= viewer.sequence);
    if (this.#json.size > 0) this.#sendAll(this.#json, textFrames(textsOf(points)));
<<<<<<< HEAD
    if (this.#binary.size > 0) this.#sendAll(this.#binary, this.#binaryFrame(tick.sequence, points));
=======
    if (this.#binary.size > 0)
      this.#sendAll(this.#binary, binaryFrame(pointsFrame(this.positionOf(tick.sequence), points)));
    this.#slices.sent(tick);
>>>>>>> valkey
    this.#sent = tick.sequence;
    this.#tick = new Tick({ after: this.#sent });
    if (this.#isBringingUp) this.#recent.push(tick);
    for (const viewer of joining) this.#join(viewer, [tick]);
  }

  #binaryFrame(sequence: number, points: Uint32Array): Buffer {
    return binaryFrame(pointsFrame(this.positionOf(sequence), points));
  }

  #sendAll(viewers: ReadonlySet<Viewer>, frames: Buffer): void {
    for (const viewer of viewers) {
      const { socket } = viewer;
      const queued = socket.queuedBytes;
      if (queued > 0 && queued + frames.length > MAX_QUEUED) this.#drop(viewer);
      else socket.write(frames);
    }
  }

<<<<<<< HEAD
  /** Live from now on, with what it does not have of these ticks; the last of them is the last that was sent. */
  #join(viewer: Viewer, ticks: readonly Tick[]): void {
    this.remove(viewer);
    viewer.state = 'live';
    for (const tick of ticks) {
      const points = tick.pointsAfter(viewer.sequence);
      if (points.length === 0) continue;
      viewer.socket.write(viewer.binary ? this.#binaryFrame(tick.sequence, points) : textFrames(textsOf(points)));
      viewer.sequence = tick.sequence;
    }
    if (viewer.sequence > this.#sent) this.#ahead.add(viewer);
    else (viewer.binary ? this.#binary : this.#json).add(viewer);
  }

  /** One after the other, until all have had a turn or the time is over; goes on with the next tick. */
  async #bringUp(): Promise<void> {
    if (this.#isBringingUp) return;
    this.#isBringingUp = true;
    this.#recent.length = 0;
    try {
      await this.#bringUpSome();
    } catch (error) {
      this.#log.warn({ err: error }, 'the view does not answer; clients wait for their part of the canvas');
    } finally {
      this.#isBringingUp = false;
      if (this.#waiting.size > 0) this.#schedule();
    }
  }

  async #bringUpSome(): Promise<void> {
    const slices: Slices = new Map();
    const edition = this.#edition;
=======
  #bringUp(): void {
>>>>>>> valkey
    const until = performance.now() + CATCH_UP_MS;
    for (const viewer of [...this.#waiting]) {
      if (performance.now() > until || this.#closed || edition !== this.#edition) return;
      if (viewer.socket.queuedBytes > LOW_QUEUED || !this.#waiting.has(viewer)) continue;
      // Whoever has had a turn waits behind those who have not.
      this.#waiting.delete(viewer);
      this.#waiting.add(viewer);
      if (viewer.state === 'empty') this.#sendCanvas(viewer);
<<<<<<< HEAD
      else if (!(await this.#sendSlice(viewer, slices))) return;
=======
      else this.#sendSlice(viewer);
>>>>>>> valkey
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

<<<<<<< HEAD
  /** False where the view cannot answer now: it is asked again in the next tick. */
  async #sendSlice(viewer: Viewer, slices: Slices): Promise<boolean> {
    const edition = this.#edition;
    const after = viewer.sequence < 0 ? await this.#sinceHistory(slices) : viewer.sequence;
    const slice = slices.get(after) ?? (await this.#read(after));
    if (!slice) return false;
    slices.set(after, slice);
    const isOfNoUse = after > slice.newest || (viewer.binary && (await slice.isFar()));
    // It may have gone, or everything may be sent anew, while the view was asked.
    if (!this.#waiting.has(viewer) || edition !== this.#edition) return true;
    viewer.sequence = after;
    if (isOfNoUse) {
      // A position that was never given out, or one too long ago.
=======
  /** Or, where that is not known yet, a later tick does. */
  #sendSlice(viewer: Viewer): void {
    if (viewer.sequence < 0) viewer.sequence = this.#slices.start() ?? -1;
    if (viewer.sequence < 0) return;
    const slice = this.#slices.after(viewer.sequence);
    if (!slice) return;
    if (viewer.sequence > slice.newest || (viewer.binary && slice.isFar())) {
      // Of no use where it is: a position that was never given out, or one too long ago.
>>>>>>> valkey
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
<<<<<<< HEAD
    // What was read has at least all that had been sent when it was asked for; what was sent since is known.
    if (slice.complete) this.#join(viewer, this.#recent);
    return true;
  }

  /** Where the history begins that clients are told; asked once for all who come in one tick. */
  async #sinceHistory(slices: Slices): Promise<number> {
    slices.since ??= this.#view.read([sequenceAt(nowMicros() - HISTORY_MICROS)]).then(({ results }) => results[0]);
    return slices.since;
  }

  async #read(after: number): Promise<Slice | undefined> {
    const questions = [changes({ after, limit: SLICE }), sequenceAt(Number.MAX_SAFE_INTEGER)] as const;
    const answer = await this.#view.read(questions);
    // The record may be of another epoch already, or ahead of what anybody is told.
    if (answer.source !== 'view') return undefined;
    const [{ cells, codes, sequence, complete }, newest] = answer.results;
    const points = cells.map((cell, i) => packed(cell, codes[i]!));
    const isFar = async () => {
      // Each cell is there once, and every change has a number of its own.
      if (complete || newest - after <= FAR_BEHIND) return false;
      const far = await this.#view.read([changes({ after, limit: FAR_BEHIND })]);
      return !far.results[0].complete;
    };
    return new Slice({ points, sequence, newest, complete, position: this.positionOf(sequence), isFar });
  }
=======
  }

  /** It has what live clients were sent, and nothing came in between, in this turn of the event loop. */
  #goLive(viewer: Viewer): void {
    this.#waiting.delete(viewer);
    viewer.state = 'live';
    (viewer.binary ? this.#binary : this.#json).add(viewer);
    this.#sent = Math.max(this.#sent, viewer.sequence);
  }
>>>>>>> valkey
}
