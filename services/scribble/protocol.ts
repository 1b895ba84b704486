import { ClientError } from '../../src/index.ts';
import { HEIGHT, PALETTE, type Point, WIDTH } from './canvas.ts';

/**
 * The messages, in both forms. JSON: one point a message. Binary (`scribble.v2`): little-endian; the first byte says what it is,
 * the second where its payload begins; a point is 32 bits, its cell in the low 20, above them its code: 0 clear, otherwise
 * the colour + 1. README.md has the layout.
 */

/** The subprotocol's name. */
export const V2 = 'scribble.v2';

/** First bytes of the server's frames. */
export const FRAME = { canvas: 1, points: 2, stored: 3 } as const;
/** First byte of the client's. */
const DRAW = 1;
const DRAW_HEADER = 8;

const CELL_BITS = 20;
const CELL_MASK = 2 ** CELL_BITS - 1;

export function codeOf(color: number | null): number {
  return color === null ? 0 : color + 1;
}

export function packed(index: number, code: number): number {
  return index | (code << CELL_BITS);
}

/** The JSON form of a point. A plain one has no colour; a cell that is cleared comes apart, so that who does not know of it does not draw it. */
export function pointText(index: number, code: number): string {
  const x = index % WIDTH;
  const y = (index - x) / WIDTH;
  if (code === 1) return `{"x":${x},"y":${y}}`;
  if (code === 0) return `{"erase":{"x":${x},"y":${y}}}`;
  return `{"x":${x},"y":${y},"color":${code - 1}}`;
}

/** A frame with its position, as ASCII, in the header. */
function frame(type: number, position: string, payload: Uint8Array): Buffer {
  const start = Math.ceil((2 + position.length) / 4) * 4;
  const bytes = Buffer.alloc(start + payload.length);
  bytes[0] = type;
  bytes[1] = start;
  bytes.write(position, 2, 'latin1');
  bytes.set(payload, start);
  return bytes;
}

/** The whole bitmap: `deflated` is one byte a cell, its code, compressed without a header (RFC 1951). */
export function canvasFrame(position: string, deflated: Uint8Array): Buffer {
  return frame(FRAME.canvas, position, deflated);
}

export function pointsFrame(position: string, points: Uint32Array): Buffer {
  return frame(FRAME.points, position, new Uint8Array(points.buffer, points.byteOffset, points.byteLength));
}

/** The points of the client's frame with this number are in the record. */
export function storedFrame(id: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes[0] = FRAME.stored;
  bytes[1] = 4;
  bytes.writeUInt32LE(id, 4);
  return bytes;
}

/** Points a client sends at once. */
export interface Sent {
  /** The client's number for them. */
  readonly id: number;
  readonly points: readonly Point[];
}

/** The number of a client's frame, bad ones too; undefined where it ends before. */
export function frameId(bytes: Buffer): number | undefined {
  return bytes.length < DRAW_HEADER ? undefined : bytes.readUInt32LE(4);
}

/** Reads a client's binary frame. Throws 400 for what is none, and then takes none of its points. */
export function readDraw(bytes: Buffer): Sent {
  if (bytes[0] !== DRAW || bytes[1] !== DRAW_HEADER || bytes.length <= DRAW_HEADER || bytes.length % 4 !== 0) {
    throw new ClientError(
      400,
      'A binary message must be byte 1, byte 8, two bytes 0, a 32-bit number of your own, then 32 bits for each point.',
    );
  }
  const points: Point[] = [];
  for (let at = DRAW_HEADER; at < bytes.length; at += 4) points.push(readPoint(bytes.readUInt32LE(at)));
  return { id: bytes.readUInt32LE(4), points };
}

function readPoint(word: number): Point {
  const index = word & CELL_MASK;
  const code = word >>> CELL_BITS;
  if (index >= WIDTH * HEIGHT || code > PALETTE.length)
    throw new ClientError(
      400,
      `A point has a cell from 0 to ${WIDTH * HEIGHT - 1} and a code from 0 to ${PALETTE.length}.`,
    );
  return { index, color: code === 0 ? null : code - 1 };
}

/** What a JSON message asks for. */
export type Action =
  | { readonly action: 'sendMessage'; readonly point: Point }
  | { readonly action: 'authenticate'; readonly token: string };

/** Reads a client's text message. Throws 400. */
export function readAction(text: string): Action {
  const { action, message, token } = parsed(text);
  if (action === 'sendMessage') return { action, point: pointOf(message) };
  if (action === 'authenticate') return { action, token: tokenOf(token) };
  throw new ClientError(
    400,
    `${action === undefined ? 'A message needs an action' : `There is no action ${shown(action)}`}; send {"action":"sendMessage","message":{"x":12,"y":34}} or {"action":"authenticate","token":"..."}.`,
  );
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ClientError(400, 'A message must be a JSON object, sent as text.');
}

function tokenOf(token: unknown): string {
  if (typeof token === 'string') return token;
  throw new ClientError(400, `token must be a text, found ${shown(token)}.`);
}

function pointOf(message: unknown): Point {
  if (typeof message !== 'object' || message === null)
    throw new ClientError(400, `message must be a point such as {"x":12,"y":34}, found ${shown(message)}.`);
  const { x, y, color = 0 } = message as Readonly<Record<string, unknown>>;
  const cell = (name: string, value: unknown, size: number): number => {
    if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < size) return value as number;
    throw new ClientError(400, `${name} must be a whole number from 0 to ${size - 1}, found ${shown(value)}.`);
  };
  const index = cell('y', y, HEIGHT) * WIDTH + cell('x', x, WIDTH);
  return { index, color: color === null ? null : cell('color', color, PALETTE.length) };
}

/** A value in a message: short whatever was sent. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
