import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

export interface SenderOptions {
  readonly url: string;
  readonly connections: number;
  readonly sentAt: SharedArrayBuffer;
  /** The first cell; each is drawn once. */
  readonly first: number;
}

const WIDTH = 1000;

/** Clients that draw, as JSON, each cell once: at a rate, or each its next point when it is told of the last one. */
export class Sender implements AsyncDisposable {
  readonly #sockets: WebSocket[];
  readonly #sentAt: Float64Array;
  readonly #first: number;
  #next: number;

  private constructor(sockets: WebSocket[], { sentAt, first }: SenderOptions) {
    this.#sockets = sockets;
    this.#sentAt = new Float64Array(sentAt);
    this.#first = first;
    this.#next = first;
  }

  static async open(options: SenderOptions): Promise<Sender> {
    const sockets = await Promise.all(
      Array.from({ length: options.connections }, async () => {
        const socket = new WebSocket(options.url, { perMessageDeflate: false });
        await once(socket, 'open');
        return socket;
      }),
    );
    return new Sender(sockets, options);
  }

  /** Points sent until now. */
  get sent(): number {
    return this.#next - this.#first;
  }

  /** Draws so many points a second, evenly. */
  async steady(perSecond: number, seconds: number): Promise<void> {
    const began = performance.now();
    const already = this.sent;
    for (;;) {
      const elapsed = performance.now() - began;
      const due = Math.floor((Math.min(elapsed, seconds * 1000) * perSecond) / 1000);
      while (this.sent - already < due) this.#draw(this.#sockets[this.sent % this.#sockets.length]!);
      if (elapsed >= seconds * 1000) return;
      await sleep(1);
    }
  }

  /** Keeps `window` points of each connection under way: as fast as they come back. */
  async closed(window: number, seconds: number): Promise<void> {
    let going = true;
    for (const socket of this.#sockets) {
      const own = new Set<string>();
      const draw = () => own.add(this.#draw(socket));
      socket.on('message', (data) => {
        if (own.delete(String(data)) && going) draw();
      });
      for (let i = 0; i < window; i++) draw();
    }
    await sleep(seconds * 1000);
    going = false;
    for (const socket of this.#sockets) socket.removeAllListeners('message');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
  }

  /** Returns what will be received. */
  #draw(socket: WebSocket): string {
    const cell = this.#next++;
    const x = cell % WIDTH;
    const text = `{"x":${x},"y":${(cell - x) / WIDTH}}`;
    this.#sentAt[cell] = performance.timeOrigin + performance.now();
    socket.send(`{"action":"sendMessage","message":${text}}`);
    return text;
  }
}
