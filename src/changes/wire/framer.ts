/** One backend message: its type byte, and its body from `start` to `end` of `bytes`. Valid only during the call. */
export type OnFrame = (type: number, bytes: Buffer, start: number, end: number) => void;

const HEADER = 5;
/** PostgreSQL's own limit of one message. */
const MAX_LENGTH = 0x3fff_ffff;

/**
 * Cuts the bytes of a PostgreSQL connection into backend messages. A message that lies within a chunk is handed out where it
 * lies; one that spans chunks is gathered in a buffer of its size, each byte copied once.
 */
export class Framer {
  readonly #onFrame: OnFrame;
  readonly #chunks: Buffer[] = [];
  /** Where the first chunk goes on. */
  #at = 0;
  #paused = false;
  #draining = false;
  /** The beginning of a message that spans chunks: at first its header, then the whole of it. */
  #partial: Buffer = Buffer.allocUnsafeSlow(HEADER);
  #filled = 0;

  constructor(options: { onFrame: OnFrame }) {
    this.#onFrame = options.onFrame;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** `chunk` may be overwritten afterwards. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#drain();
    if (this.#chunks.at(-1) === chunk) this.#keepLast();
  }

  /** No message is handed out until `resume`, not even those of the chunk at hand. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#drain();
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      while (!this.#paused && this.#chunks.length > 0) {
        this.#at = this.#consume(this.#chunks[0]!, this.#at);
        if (this.#at < this.#chunks[0]!.length) break;
        this.#chunks.shift();
        this.#at = 0;
      }
    } finally {
      this.#draining = false;
    }
  }

  /** Paused before the end of the last chunk: what is left of it is copied. */
  #keepLast(): void {
    const from = this.#chunks.length === 1 ? this.#at : 0;
    this.#chunks.push(Buffer.from(this.#chunks.pop()!.subarray(from)));
    if (from > 0) this.#at = 0;
  }

  /** Hands out messages of `chunk` from `at` on; returns how far it came: the end, unless paused. */
  #consume(chunk: Buffer, from: number): number {
    let at = this.#filled > 0 ? this.#complete(chunk, from) : from;
    while (!this.#paused && chunk.length - at >= HEADER) {
      const end = at + 1 + lengthAt(chunk, at + 1);
      if (end > chunk.length) break;
      const start = at + HEADER;
      at = end;
      this.#onFrame(chunk[start - HEADER]!, chunk, start, end);
    }
    if (this.#paused || at === chunk.length) return at;
    return this.#gather(chunk, at);
  }

  /** Adds to the message that spans chunks; hands it out when it is whole. */
  #complete(chunk: Buffer, from: number): number {
    const at = this.#gather(chunk, from);
    if (this.#filled < HEADER || this.#filled < this.#partial.length) return at;
    const frame = this.#partial;
    this.#partial = Buffer.allocUnsafeSlow(HEADER);
    this.#filled = 0;
    this.#onFrame(frame[0]!, frame, HEADER, frame.length);
    return at;
  }

  #gather(chunk: Buffer, from: number): number {
    let at = from + this.#fill(chunk, from);
    if (this.#filled === HEADER && this.#partial.length === HEADER) {
      const frame = Buffer.allocUnsafeSlow(1 + lengthAt(this.#partial, 1));
      this.#partial.copy(frame);
      this.#partial = frame;
      at += this.#fill(chunk, at);
    }
    return at;
  }

  #fill(chunk: Buffer, from: number): number {
    const copied = chunk.copy(this.#partial, this.#filled, from);
    this.#filled += copied;
    return copied;
  }
}

/** The length of a message: of itself and its body, without the type byte. */
function lengthAt(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32BE(at);
  if (length < 4 || length > MAX_LENGTH) throw new Error(`not a PostgreSQL connection: a message of ${length} bytes`);
  return length;
}
