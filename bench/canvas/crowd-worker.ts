import { connect, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { Cells } from './cells.ts';
import type { CrowdCounts, CrowdOrder } from './crowd.ts';

/** Many clients in one thread: raw sockets that take frames apart as far as it needs to count, check and time the points. */
const { port, path, protocol, clients, sentAt: shared, sampleEvery } = workerData as CrowdOrder;
const sentAt = new Float64Array(shared);

/** Clients that connect at the same time. */
const AT_ONCE = 50;
const LATENCIES = 1 << 20;
const WIDTH = 1000;

let frames = 0;
let points = 0;
let bytes = 0;
const latencies = new Float64Array(LATENCIES);
let timed = 0;
const members: Member[] = [];

/** What one client has: how many points it was told of, and its canvas. */
class Member {
  readonly sampled: boolean;
  points = 0;
  readonly cells = new Cells();
  #rest: Buffer | null = null;
  #open = false;
  readonly #socket: Socket;
  readonly #opened: () => void;

  constructor(sampled: boolean, opened: () => void) {
    this.sampled = sampled;
    this.#opened = opened;
    this.#socket = connect(port, '127.0.0.1').setNoDelay(true);
    this.#socket.on('error', (error) => parentPort!.postMessage({ failed: error.message }));
    this.#socket.on('data', (chunk: Buffer) => this.#received(chunk));
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : ''}\r\n`,
    );
  }

  end(): void {
    this.#socket.destroy();
  }

  #received(chunk: Buffer): void {
    bytes += chunk.length;
    let data: Buffer = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    if (!this.#open) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = data;
        return;
      }
      if (!data.toString('latin1', 0, 12).endsWith('101'))
        parentPort!.postMessage({ failed: data.toString('latin1', 0, 300) });
      this.#open = true;
      this.#opened();
      data = data.subarray(end + 4);
    }
    this.#rest = this.#frames(data);
  }

  /** Takes whole frames; returns what is left of the last one. */
  #frames(data: Buffer): Buffer | null {
    const now = performance.timeOrigin + performance.now();
    let at = 0;
    while (data.length - at >= 2) {
      let size = data[at + 1]! & 0x7f;
      let start = at + 2;
      if (size === 126) {
        if (data.length - at < 4) break;
        size = data.readUInt16BE(at + 2);
        start = at + 4;
      } else if (size === 127) {
        if (data.length - at < 10) break;
        size = Number(data.readBigUInt64BE(at + 2));
        start = at + 10;
      }
      if (data.length < start + size) break;
      this.#frame(data, data[at]! & 15, start, size, now);
      at = start + size;
    }
    return at === data.length ? null : data.subarray(at);
  }

  #frame(data: Buffer, type: number, start: number, size: number, now: number): void {
    if (type === 9) this.#socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]));
    if (type === 2 && data[start] === 2) {
      frames++;
      for (let at = start + data[start + 1]!; at < start + size; at += 4) {
        const word = data.readUInt32LE(at);
        this.#point(word & 0xf_ffff, word >>> 20 !== 0, now);
      }
    }
    // A point as JSON: `{"x":12,"y":34}`
    if (type === 1 && data[start + 2] === 120) {
      frames++;
      let at = start + 5;
      let x = 0;
      for (; data[at]! !== 44; at++) x = x * 10 + data[at]! - 48;
      let y = 0;
      for (at += 5; data[at]! >= 48 && data[at]! <= 57; at++) y = y * 10 + data[at]! - 48;
      this.#point(y * WIDTH + x, true, now);
    }
  }

  #point(cell: number, isSet: boolean, now: number): void {
    points++;
    this.points++;
    if (isSet) this.cells.set(cell);
    else this.cells.clear(cell);
    if (this.sampled && timed < LATENCIES && sentAt[cell]! > 0) latencies[timed++] = now - sentAt[cell]!;
  }
}

async function open(): Promise<void> {
  let left = clients;
  const connectSome = async () => {
    while (left > 0) {
      left--;
      await new Promise<void>((resolve) => members.push(new Member(members.length % sampleEvery === 0, resolve)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, connectSome));
}

parentPort!.on('message', (order: 'take' | 'end' | { readonly recorded: Uint32Array }) => {
  if (order === 'end') {
    for (const member of members) member.end();
    process.exit();
  }
  if (order !== 'take') {
    const recorded = new Cells();
    for (const cell of order.recorded) recorded.set(cell);
    const differing = members.filter(({ cells }) => !cells.equals(recorded)).length;
    parentPort!.postMessage({ differing });
    return;
  }
  const counts: CrowdCounts = {
    ...{ frames, points, bytes, at: performance.timeOrigin + performance.now() },
    latencies: latencies.slice(0, timed),
    members: members.map((member) => member.points),
  };
  timed = 0;
  parentPort!.postMessage(counts);
});
await open();
parentPort!.postMessage('open');
