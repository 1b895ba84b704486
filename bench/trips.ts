import { Worker } from 'node:worker_threads';

/** What the worker is given. */
export interface TripsOrder {
  readonly port: number;
  /** Each with one trip under way at a time. */
  readonly callers: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
}

export interface TripsResult {
  /** Completed. */
  readonly tripsPerSecond: number;
  /** Milliseconds for the three calls of one trip. */
  readonly p50: number;
  readonly p99: number;
}

/** Takes trips through their three calls, from a thread of its own. */
export function loadTrips(order: TripsOrder): Promise<TripsResult> {
  const worker = new Worker(new URL('./trips-worker.ts', import.meta.url), { workerData: order });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the load generator ended early with code ${code}`)));
  });
}
