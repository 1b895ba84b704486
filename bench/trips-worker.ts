import { connect, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import type { TripsOrder, TripsResult } from './trips.ts';

const { port, callers, seconds, warmupSeconds } = workerData as TripsOrder;
const END_OF_HEADERS = Buffer.from('\r\n\r\n');
const STEPS = ['riderbook', 'driveraccept', 'drivercomplete'] as const;

let measuring = false;
let trips = 0;
const latencies: number[] = [];

/** One caller on a kept-alive connection: books a trip, has it accepted, has it completed, and books the next. */
function drive(socket: Socket, rider: number): void {
  let step = 0;
  let info = '';
  let began = 0;
  let pending: Buffer = Buffer.alloc(0);
  const send = () => {
    if (step === 0) began = performance.now();
    const rest = step === 0 ? 'rider_mobile=%2B12125550100' : `trip_info=${info}`;
    const path = `/taxi/${STEPS[step]}?rider_id=${rider}&${rest}`;
    socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
  };
  const answered = (body: string) => {
    if (step === 0) info = /"tripinfo":"([^"]+)"/.exec(body)![1]!;
    if (step === 2 && measuring) {
      trips++;
      latencies.push(performance.now() - began);
    }
    step = (step + 1) % 3;
    send();
  };
  socket.setNoDelay(true).on('connect', send);
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    const end = pending.indexOf(END_OF_HEADERS);
    if (end < 0) return;
    const head = pending.toString('latin1', 0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)![1]);
    if (pending.length < end + 4 + length) return;
    const body = pending.toString('utf8', end + 4, end + 4 + length);
    if (!head.startsWith('HTTP/1.1 200')) throw new Error(`${STEPS[step]}: ${head}\n${body}`);
    pending = Buffer.alloc(0);
    answered(body);
  });
}

const sockets = Array.from({ length: callers }, (_, i) => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', (error) => {
    throw error;
  });
  drive(socket, 1 + i);
  return socket;
});

setTimeout(() => {
  measuring = true;
  const from = performance.now();
  setTimeout(() => {
    measuring = false;
    latencies.sort((a, b) => a - b);
    const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
    const result: TripsResult = {
      tripsPerSecond: (trips * 1000) / (performance.now() - from),
      p50: at(0.5),
      p99: at(0.99),
    };
    parentPort!.postMessage(result);
    for (const socket of sockets) socket.destroy();
  }, seconds * 1000);
}, warmupSeconds * 1000);
