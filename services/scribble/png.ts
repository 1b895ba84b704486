import { promisify } from 'node:util';
import { constants, crc32, deflate } from 'node:zlib';

/**
 * PNG and animated PNG, as much of them as the canvas needs. The scan lines are not filtered; compressing runs only (`Z_RLE`) at
 * level 1 costs a fiftieth of the best and gives little more, off the event loop. Source: PNG (Third Edition), W3C 2025.
 */

const compress = promisify(deflate);
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

const GREYSCALE = 0;
const INDEXED = 3;

interface Size {
  readonly width: number;
  readonly height: number;
}

export interface BitImage extends Size {
  /** Rows from the top, padded to whole bytes, the left pixel in the highest bit; 1 is drawn. */
  readonly bits: Uint8Array;
}

export interface IndexedImage extends Size {
  /** One byte a pixel. */
  readonly codes: Uint8Array;
  /** `#rrggbb` of each code. */
  readonly palette: readonly string[];
}

/** Part of a frame: the rest of the picture stays what it was. */
export interface Frame extends Size {
  readonly x: number;
  readonly y: number;
  readonly codes: Uint8Array;
}

/** Black on white, one bit a pixel. */
export async function bitPng({ width, height, bits }: BitImage): Promise<Buffer> {
  const stride = Math.ceil(width / 8);
  const lines = scanLines(bits, stride, height);
  // In greyscale 1 is white: what is drawn is black. The bits beyond the last pixel may be anything.
  for (let i = 0; i < lines.length; i++) if (i % (stride + 1) !== 0) lines[i]! ^= 0xff;
  return Buffer.concat([
    SIGNATURE,
    header({ width, height }, 1, GREYSCALE),
    chunk('IDAT', await squeeze(lines)),
    chunk('IEND'),
  ]);
}

/** One byte a pixel, of a palette. */
export async function indexedPng({ width, height, codes, palette }: IndexedImage): Promise<Buffer> {
  const data = chunk('IDAT', await squeeze(scanLines(codes, width, height)));
  return Buffer.concat([SIGNATURE, header({ width, height }, 8, INDEXED), colors(palette), data, chunk('IEND')]);
}

/** An animated PNG that plays once. The first frame is the whole picture. */
export async function animatedPng(options: {
  readonly frames: readonly Frame[];
  readonly palette: readonly string[];
  /** Milliseconds. */
  readonly frameMs: number;
}): Promise<Buffer> {
  const { frames, palette, frameMs } = options;
  const chunks = [SIGNATURE, header(frames[0]!, 8, INDEXED), animation(frames.length), colors(palette)];
  let sequence = 0;
  for (const [i, frame] of frames.entries()) {
    chunks.push(frameControl(sequence++, frame, frameMs));
    const data = await squeeze(scanLines(frame.codes, frame.width, frame.height));
    chunks.push(i === 0 ? chunk('IDAT', data) : chunk('fdAT', Buffer.concat([uint32(sequence++), data])));
  }
  chunks.push(chunk('IEND'));
  return Buffer.concat(chunks);
}

function squeeze(lines: Uint8Array): Promise<Buffer> {
  return compress(lines, { level: 1, strategy: constants.Z_RLE });
}

/** Each row behind a byte that says it is not filtered. */
function scanLines(rows: Uint8Array, stride: number, height: number): Uint8Array {
  const lines = new Uint8Array((stride + 1) * height);
  for (let y = 0; y < height; y++) lines.set(rows.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  return lines;
}

function header({ width, height }: Size, depth: number, colorType: number): Buffer {
  return chunk('IHDR', Buffer.concat([uint32(width), uint32(height), Buffer.from([depth, colorType, 0, 0, 0])]));
}

function colors(palette: readonly string[]): Buffer {
  return chunk('PLTE', Buffer.concat(palette.map((color) => Buffer.from(color.slice(1), 'hex'))));
}

function animation(frames: number): Buffer {
  return chunk('acTL', Buffer.concat([uint32(frames), uint32(1)]));
}

function frameControl(sequence: number, { x, y, width, height }: Frame, frameMs: number): Buffer {
  const bytes = Buffer.alloc(26);
  for (const [i, value] of [sequence, width, height, x, y].entries()) bytes.writeUInt32BE(value, i * 4);
  bytes.writeUInt16BE(frameMs, 20);
  bytes.writeUInt16BE(1000, 22);
  return chunk('fcTL', bytes);
}

function chunk(type: string, data: Uint8Array = new Uint8Array(0)): Buffer {
  const bytes = Buffer.allocUnsafe(data.length + 12);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), bytes.length - 4);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
