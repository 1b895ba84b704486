import { client } from '../client.ts';
import { HEIGHT, WIDTH } from './palette.ts';
import { type Dot, Strokes } from './strokes.ts';

export type Connection = 'connecting' | 'live' | 'offline' | 'refused';

export interface Here {
  readonly count: number;
  readonly names: readonly string[];
}

export interface CanvasState {
  readonly connection: Connection;
  readonly here: Here;
  /** Points drawn here that are not known to be in the record. */
  readonly unstored: number;
  /** Nothing is drawn; not known at first. */
  readonly blank: boolean;
  /** What the server refused last; null when it takes what is drawn. */
  readonly refusal: string | null;
}

/** The server's frames, by their first byte. */
const FRAME = { canvas: 1, points: 2, stored: 3 } as const;
/** Points that are stored stay over the canvas until it has surely been told of them. */
const COVER_MS = 500;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 8000;

/** The canvas, kept in step over `scribble.v2`; comes back by itself, resumes where it was, and loses no stroke. */
export class CanvasClient {
  /** 0 is clear, otherwise the colour + 1. */
  readonly #codes = new Uint8Array(WIDTH * HEIGHT);
  readonly #strokes = new Strokes({ send: (frame) => this.#sendFrame(frame) });
  readonly #url = `${location.origin.replace(/^http/, 'ws')}/scribble`;
  readonly #listeners = new Set<() => void>();
  readonly #painters = new Set<(cells: Iterable<number> | 'all') => void>();
  #state: CanvasState = {
    connection: 'connecting',
    here: { count: 0, names: [] },
    unstored: 0,
    blank: false,
    refusal: null,
  };
  #position = '';
  #socket: WebSocket | undefined;
  #retryMs = FIRST_RETRY_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  /** Frames are taken one after another: a canvas is unpacked meanwhile. */
  #turn: Promise<void> = Promise.resolve();
  #username: string | undefined;

  get state(): CanvasState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `paint` with the cells that look different now. */
  onPaint(paint: (cells: Iterable<number> | 'all') => void): () => void {
    this.#painters.add(paint);
    return () => this.#painters.delete(paint);
  }

  /** Opens the connection and keeps it; the returned function ends that. */
  start(): () => void {
    this.#closed = false;
    this.#connect();
    const unfollow = client.session.subscribe(() => this.#identify());
    const online = () => this.#connect();
    addEventListener('online', online);
    return () => {
      this.#closed = true;
      unfollow();
      removeEventListener('online', online);
      clearTimeout(this.#retry);
      const socket = this.#socket;
      // A browser complains of one that is closed before it is open.
      if (socket?.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
      else socket?.close();
    };
  }

  /** What a cell shows: what was drawn here last, or what the record has. */
  codeAt(cell: number): number {
    return this.#strokes.codeOver(cell) ?? this.#codes[cell]!;
  }

  draw(dots: readonly Dot[]): void {
    const news = dots.filter(([cell, code]) => this.codeAt(cell) !== code);
    if (news.length === 0) return;
    this.#strokes.add(news);
    this.#paint(news.map(([cell]) => cell));
    this.#tell({ unstored: this.#strokes.unstored, blank: false });
  }

  #connect(): void {
    if (this.#socket || this.#closed) return;
    clearTimeout(this.#retry);
    const query = this.#position ? `?from=${this.#position}` : '';
    const socket = new WebSocket(this.#url + query, ['scribble.v2']);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      this.#turn = this.#turn.then(() => {
        if (socket !== this.#socket) return undefined;
        return typeof data === 'string' ? this.#receivedText(data) : this.#receivedFrame(new Uint8Array(data));
      });
    };
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
  }

  #opened(): void {
    this.#retryMs = FIRST_RETRY_MS;
    this.#username = undefined;
    this.#tell({ connection: 'live' });
    this.#identify();
    this.#strokes.resume();
  }

  #lost(code: number, reason: string): void {
    this.#socket = undefined;
    if (this.#closed) return;
    const banned = code === 1008 && reason.includes('banned');
    this.#tell({ connection: banned ? 'refused' : 'offline', ...(banned ? { refusal: reason } : {}) });
    // Spread out: after a restart of the server not all of its clients come at once.
    this.#retry = setTimeout(() => this.#connect(), banned ? 30_000 : this.#retryMs * (0.5 + Math.random() / 2));
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  /** Tells the server who is signed in; who has signed out comes back as nobody. */
  #identify(): void {
    const username = client.session.user?.username;
    if (this.#socket?.readyState !== WebSocket.OPEN || username === this.#username) return;
    const known = this.#username;
    this.#username = username;
    if (username === undefined) {
      if (known !== undefined) this.#socket.close();
      return;
    }
    client.session.token().then(
      // Without one: signed out meanwhile.
      (token) => token && this.#socket?.send(JSON.stringify({ action: 'authenticate', token })),
      () => {},
    );
  }

  #receivedText(text: string): void {
    const { hello, here, error } = JSON.parse(text) as {
      hello?: { pointsAtOnce: number; cooldownMs: number };
      here?: Here;
      error?: { status: number; message: string; id?: number };
    };
    if (hello) this.#strokes.pace(hello);
    if (here) this.#tell({ here });
    if (!error) return;
    this.#tell({ refusal: error.message });
    if (error.id === undefined) return;
    if (error.status === 403 || error.status === 400)
      this.#paint(this.#strokes.uncover(this.#strokes.stored(error.id)));
    else this.#strokes.again(error.id);
    this.#tell({ unstored: this.#strokes.unstored });
  }

  async #receivedFrame(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const start = bytes[1]!;
    if (bytes[0] === FRAME.stored) {
      const dots = this.#strokes.stored(new DataView(bytes.buffer).getUint32(start, true));
      setTimeout(() => this.#paint(this.#strokes.uncover(dots)), COVER_MS);
      this.#tell({ unstored: this.#strokes.unstored, refusal: null });
      return;
    }
    if (bytes[0] === FRAME.canvas) {
      this.#codes.set(await inflated(bytes.subarray(start)));
      this.#tell({ blank: !this.#codes.some((code) => code > 0) });
      this.#paint('all');
    } else {
      const cells: number[] = [];
      for (const word of new Uint32Array(bytes.buffer, start)) {
        this.#codes[word & 0xf_ffff] = word >>> 20;
        cells.push(word & 0xf_ffff);
      }
      if (this.#state.blank) this.#tell({ blank: false });
      this.#paint(cells);
    }
    this.#position = new TextDecoder('latin1').decode(bytes.subarray(2, start)).replace(/\0+$/, '');
  }

  #sendFrame(frame: Uint8Array<ArrayBuffer>): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(frame);
    return true;
  }

  #paint(cells: Iterable<number> | 'all'): void {
    for (const paint of this.#painters) paint(cells);
  }

  #tell(news: Partial<CanvasState>): void {
    this.#state = { ...this.#state, ...news };
    for (const listener of this.#listeners) listener();
  }
}

async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
