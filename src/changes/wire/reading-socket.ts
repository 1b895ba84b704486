import { Socket } from 'node:net';

/** More than a socket's own buffer holds, so that one read empties it. */
const BUFFER_BYTES = 256 * 1024;

/**
 * A socket that reads into one buffer of its own, again and again: no allocation, stream state or event for each read, of
 * which a change feed has one for every few rows. Until somebody takes its bytes over, it is a socket like any other.
 */
export class ReadingSocket extends Socket {
  /** Takes every chunk, valid only during the call. */
  sink: ((chunk: Buffer) => void) | undefined;

  constructor() {
    const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
    const read = (bytes: number): boolean => {
      const chunk = buffer.subarray(0, bytes);
      if (this.sink) this.sink(chunk);
      else this.emit('data', Buffer.from(chunk));
      return true;
    };
    super({ onread: { buffer, callback: read } } as ConstructorParameters<typeof Socket>[0]);
  }
}
