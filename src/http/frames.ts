/**
 * WebSocket frames as a server sends them: whole, not masked, not compressed. For messages to many clients, encoded once.
 * Source: RFC 6455, 5.2.
 */

const FINAL_TEXT = 0x81;
const FINAL_BINARY = 0x82;

/** One text frame for each message, one after another in one buffer. */
export function textFrames(messages: readonly string[]): Buffer {
  const sizes = messages.map((message) => Buffer.byteLength(message));
  const frames = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + headerBytes(size) + size, 0));
  let at = 0;
  messages.forEach((message, i) => {
    at = writeHeader(frames, at, FINAL_TEXT, sizes[i]!);
    at += frames.write(message, at);
  });
  return frames;
}

/** One binary frame. */
export function binaryFrame(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes(payload.length) + payload.length);
  frame.set(payload, writeHeader(frame, 0, FINAL_BINARY, payload.length));
  return frame;
}

function headerBytes(size: number): number {
  return size < 126 ? 2 : size < 65_536 ? 4 : 10;
}

/** Returns where the payload begins. */
function writeHeader(frame: Buffer, at: number, first: number, size: number): number {
  frame[at] = first;
  if (size < 126) {
    frame[at + 1] = size;
  } else if (size < 65_536) {
    frame[at + 1] = 126;
    frame.writeUInt16BE(size, at + 2);
  } else {
    frame[at + 1] = 127;
    frame.writeBigUInt64BE(BigInt(size), at + 2);
  }
  return at + headerBytes(size);
}
