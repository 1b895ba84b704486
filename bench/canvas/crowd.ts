import { Worker } from 'node:worker_threads';
import { withTimeout } from '../servers/process.ts';

export interface CrowdOrder {
  readonly port: number;
  readonly path: string;
  /** The subprotocol to ask for; none for JSON. */
  readonly protocol?: string;
  readonly clients: number;
  /** A `Float64Array`: when each cell was sent, in milliseconds since 1970; 0 for never. */
  readonly sentAt: SharedArrayBuffer;
  /** Every so manyth client times its points. */
  readonly sampleEvery: number;
}

/** All since the beginning, but for the latencies, which are those since they were last asked for. */
export interface CrowdCounts {
  readonly frames: number;
  readonly points: number;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Milliseconds from send to received. */
  readonly latencies: Float64Array;
  /** Of each client: its points, and a sum over their cells. */
  readonly members: readonly (readonly [points: number, sum: number])[];
}

/** Many clients that look at a canvas, in a thread of their own. */
export class Crowd implements AsyncDisposable {
  readonly #worker: Worker;
  #failed: Error | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Resolves when all of them are connected. */
  static async open(order: CrowdOrder): Promise<Crowd> {
    const worker = new Worker(new URL('./crowd-worker.ts', import.meta.url), { workerData: order });
    const crowd = new Crowd(worker);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    worker.on('message', (message: 'open' | { failed?: string }) => {
      if (message === 'open') resolve();
      else if (message.failed) {
        crowd.#failed = new Error(`a client failed: ${message.failed}`);
        reject(crowd.#failed);
      }
    });
    worker.on('error', reject);
    await withTimeout(promise, 60_000, `${order.clients} clients to connect`);
    return crowd;
  }

  async take(): Promise<CrowdCounts> {
    if (this.#failed) throw this.#failed;
    const answer = new Promise<CrowdCounts>((resolve) => {
      const listen = (message: CrowdCounts | object) => {
        if (!('frames' in message)) return;
        this.#worker.off('message', listen);
        resolve(message);
      };
      this.#worker.on('message', listen);
    });
    this.#worker.postMessage('take');
    return withTimeout(answer, 30_000, 'the clients to answer');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.postMessage('end');
    await ended;
  }
}
