import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inflateRawSync } from 'node:zlib';
import { type ClientOptions, WebSocket } from 'ws';
import { HEIGHT, WIDTH } from './canvas.ts';
import { FRAME, V2 } from './protocol.ts';

/** How long a test waits for what must come (milliseconds). */
const PATIENCE = 30_000;

export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(5);
  }
}

interface Connected {
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
}

async function connect(
  t: Pick<TestContext, 'after'>,
  url: string,
  options: ClientOptions & { protocols?: string[] },
  received: (data: Buffer, isBinary: boolean) => void,
): Promise<Connected> {
  const { protocols = [], ...rest } = options;
  const socket = new WebSocket(url, protocols, rest);
  t.after(() => socket.terminate());
  socket.on('message', (data, isBinary) => received(data as Buffer, isBinary));
  const closed = once(socket, 'close').then(([code, reason]) => ({ code: code as number, reason: String(reason) }));
  closed.catch(() => {});
  await once(socket, 'open');
  return { socket, closed };
}

export type Message = Readonly<Record<string, unknown>>;

interface Refusal {
  readonly status: number;
  readonly message: string;
  /** Of the binary frame. */
  readonly id?: number;
  readonly retryAfterMs?: number;
}

function refusals(messages: readonly Message[]): Refusal[] {
  return messages.flatMap((message) => ('error' in message ? [message.error as Refusal] : []));
}

/** A client that knows the JSON messages alone. */
export class JsonClient {
  readonly messages: Message[] = [];
  /** The canvas as it would show it, kept with each message: looked at often, it costs the server of the same process nothing. */
  readonly codes = new Uint8Array(WIDTH * HEIGHT);
  #connected!: Connected;

  static async open(t: Pick<TestContext, 'after'>, url: string, options: ClientOptions = {}): Promise<JsonClient> {
    const client = new JsonClient();
    client.#connected = await connect(t, `${url.replace('http', 'ws')}`, options, (data) =>
      client.#take(JSON.parse(String(data))),
    );
    return client;
  }

  get socket(): WebSocket {
    return this.#connected.socket;
  }

  get closed(): Connected['closed'] {
    return this.#connected.closed;
  }

  get points(): Message[] {
    return this.messages.filter((message) => 'x' in message || 'erase' in message);
  }

  get errors(): Refusal[] {
    return refusals(this.messages);
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  draw(x: number, y: number, color?: number | null): void {
    this.send({ action: 'sendMessage', message: color === undefined ? { x, y } : { x, y, color } });
  }

  #take(message: Message): void {
    this.messages.push(message);
    const { x, y, color, erase } = message as Partial<Cell> & { readonly color?: number; readonly erase?: Cell };
    if (erase) this.codes[erase.y * WIDTH + erase.x] = 0;
    else if (x !== undefined) this.codes[y! * WIDTH + x] = 1 + (color ?? 0);
  }
}

interface Cell {
  readonly x: number;
  readonly y: number;
}

/** A client of `scribble.v2` that keeps the bitmap. */
export class BinaryClient {
  codes = new Uint8Array(WIDTH * HEIGHT);
  position = '';
  canvases = 0;
  /** Points in the frames of points, in order: cell and code. */
  readonly points: [number, number][] = [];
  readonly texts: Message[] = [];
  readonly stored: number[] = [];
  #connected!: Connected;

  static async open(
    t: Pick<TestContext, 'after'>,
    url: string,
    options: ClientOptions & { from?: BinaryClient } = {},
  ): Promise<BinaryClient> {
    const client = new BinaryClient();
    const { from, ...rest } = options;
    if (from) [client.codes, client.position] = [from.codes.slice(), from.position];
    const query = from ? `?from=${from.position}` : '';
    client.#connected = await connect(
      t,
      `${url.replace('http', 'ws')}${query}`,
      { ...rest, protocols: [V2] },
      (data, isBinary) => (isBinary ? client.#received(data) : client.texts.push(JSON.parse(String(data)))),
    );
    return client;
  }

  get socket(): WebSocket {
    return this.#connected.socket;
  }

  get closed(): Connected['closed'] {
    return this.#connected.closed;
  }

  get errors(): Refusal[] {
    return refusals(this.texts);
  }

  /** Sends points: cell and code. */
  draw(id: number, points: readonly (readonly [number, number])[]): void {
    const bytes = Buffer.alloc(8 + points.length * 4);
    bytes[0] = 1;
    bytes[1] = 8;
    bytes.writeUInt32LE(id, 4);
    points.forEach(([index, code], i) => void bytes.writeUInt32LE(index | (code << 20), 8 + i * 4));
    this.socket.send(bytes);
  }

  #received(bytes: Buffer): void {
    const start = bytes[1]!;
    if (bytes[0] === FRAME.stored) {
      this.stored.push(bytes.readUInt32LE(4));
      return;
    }
    this.position = bytes.toString('latin1', 2, start).replace(/\0+$/, '');
    if (bytes[0] === FRAME.canvas) {
      this.canvases++;
      this.codes = new Uint8Array(inflateRawSync(bytes.subarray(start)));
      return;
    }
    for (let at = start; at < bytes.length; at += 4) {
      const word = bytes.readUInt32LE(at);
      this.codes[word & 0xf_ffff] = word >>> 20;
      this.points.push([word & 0xf_ffff, word >>> 20]);
    }
  }
}
