import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import { type Answer, type BitmapQuery, binaryFrame, type Pixels, snapshot, type ViewHandle } from '../../src/index.ts';
import { canvasFrame } from './protocol.ts';

const deflate = promisify(deflateRaw);

/** Older than this a frame is not given out: what changed since is sent after it. */
const KEEP_MS = 1000;

export interface CanvasFrame {
  /** Of the newest change in it. */
  readonly sequence: number;
  /** A WebSocket frame. */
  readonly bytes: Buffer;
}

/** The whole canvas as a frame, compressed off the event loop, made at most about once a second and shared by all who need it. */
export class CanvasFrames {
  readonly #view: ViewHandle<BitmapQuery>;
  readonly #position: (sequence: number) => string;
  #last: (CanvasFrame & { readonly position: string; readonly madeAt: number }) | undefined;
  #making: Promise<void> | undefined;
  /** Goes up when what was made before is not to be given out. */
  #edition = 0;

  constructor(options: { view: ViewHandle<BitmapQuery>; position: (sequence: number) => string }) {
    this.#view = options.view;
    this.#position = options.position;
  }

  /** The frame, if there is a fresh one of this record's epoch. */
  get current(): CanvasFrame | undefined {
    const last = this.#last;
    if (!last || performance.now() - last.madeAt > KEEP_MS) return undefined;
    return last.position === this.#position(last.sequence) ? last : undefined;
  }

  /** What was made, or is being made, is of no use: cells have changed without a new sequence number. */
  forget(): void {
    this.#edition++;
    this.#last = undefined;
  }

  /** Makes one, unless one is being made. Resolves without one where the view cannot answer now. */
  make(): Promise<void> {
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  /** A view outside of the process does not answer at once. */
  async #read(): Promise<Answer<[Pixels]> | undefined> {
    return this.#view.status().state === 'live' ? this.#view.read([snapshot()]) : undefined;
  }

  async #make(): Promise<void> {
    const edition = this.#edition;
<<<<<<< HEAD
    const answer = await this.#view.read([snapshot()]);
    if (answer.source !== 'view') return;
=======
    const answer = this.#view.readNow([snapshot()]) ?? (await this.#read());
    if (answer?.source !== 'view') return;
>>>>>>> valkey
    const [{ codes, sequence }] = answer.results;
    const position = this.#position(sequence);
    const bytes = binaryFrame(canvasFrame(position, await deflate(codes, { level: 1 })));
    if (edition === this.#edition) this.#last = { sequence, position, bytes, madeAt: performance.now() };
  }
}
