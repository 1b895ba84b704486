import { connect, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import type { LoadOrder, LoadResult } from './load.ts';

const order = workerData as LoadOrder;
const requests = order.requests.map((text) => Buffer.from(text, 'latin1'));
const END_OF_HEADERS = Buffer.from('\r\n\r\n');
const CONTENT_LENGTH = Buffer.from('content-length: ');

let next = 0;
let measuring = false;
let bytes = 0;
let latencies = new Float64Array(1 << 20);
let answers = 0;
const statuses: Record<number, number> = {};

/** One kept-alive connection: sends, takes the answer apart just enough to see its end, sends again. */
function drive(socket: Socket): void {
  let sentAt = 0;
  let pending: Buffer | null = null;
  const send = () => {
    sentAt = performance.now();
    socket.write(requests[next++ % requests.length]!);
  };
  socket.setNoDelay(true).on('connect', send);
  socket.on('data', (chunk: Buffer) => {
    const data: Buffer = pending ? Buffer.concat([pending, chunk]) : chunk;
    const end = endOfAnswer(data);
    pending = end <= data.length ? null : data;
    if (pending) return;
    if (measuring) count(data, performance.now() - sentAt);
    send();
  });
}

/** Where the answer that starts `data` ends, or Infinity while its headers are incomplete. */
function endOfAnswer(data: Buffer): number {
  const headersEnd = data.indexOf(END_OF_HEADERS);
  if (headersEnd < 0) return Number.POSITIVE_INFINITY;
  const at = lengthAt(data, headersEnd);
  let length = 0;
  for (let i = at; data[i]! >= 48 && data[i]! <= 57; i++) length = length * 10 + data[i]! - 48;
  return headersEnd + 4 + length;
}

let lastLengthAt = 0;

/** Where the digits of Content-Length start; answers of one kind have it at the same place. */
function lengthAt(data: Buffer, headersEnd: number): number {
  const isThere = (at: number) => data.compare(CONTENT_LENGTH, 0, 16, at - 16, at) === 0;
  if (lastLengthAt < 16 || lastLengthAt > headersEnd || !isThere(lastLengthAt)) {
    const found = data.toString('latin1', 0, headersEnd).toLowerCase().indexOf('content-length: ');
    if (found < 0) throw new Error(`an answer without Content-Length: ${data.toString('latin1', 0, headersEnd)}`);
    if (data[found] !== CONTENT_LENGTH[0]) return found + 16;
    lastLengthAt = found + 16;
  }
  return lastLengthAt;
}

function count(data: Buffer, latency: number): void {
  if (answers === latencies.length) {
    const longer = new Float64Array(latencies.length * 2);
    longer.set(latencies);
    latencies = longer;
  }
  latencies[answers++] = latency;
  bytes += data.length;
  const status = (data[9]! - 48) * 100 + (data[10]! - 48) * 10 + data[11]! - 48;
  statuses[status] = (statuses[status] ?? 0) + 1;
}

function result(seconds: number): LoadResult {
  const sorted = latencies.subarray(0, answers).sort();
  const percentile = (p: number) => sorted[Math.min(answers - 1, Math.floor(answers * p))] ?? Number.NaN;
  return {
    requests: answers,
    requestsPerSecond: answers / seconds,
    latency: { p50: percentile(0.5), p90: percentile(0.9), p99: percentile(0.99), max: percentile(1) },
    statuses,
    bytes,
  };
}

const sockets = Array.from({ length: order.connections }, () => {
  const socket = connect(order.port, order.host);
  socket.on('error', (error) => {
    throw error;
  });
  drive(socket);
  return socket;
});
setTimeout(() => {
  measuring = true;
  const from = performance.now();
  setTimeout(() => {
    measuring = false;
    parentPort!.postMessage(result((performance.now() - from) / 1000));
    for (const socket of sockets) socket.destroy();
  }, order.seconds * 1000);
}, order.warmupSeconds * 1000);
