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
  /** Of each client: the points it was told of. */
  readonly members: readonly number[];
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

  take(): Promise<CrowdCounts> {
    return this.#ask<CrowdCounts>('take', 'frames');
  }

  /** How many clients' canvases are not exactly the record's cells. */
  async differing(recorded: Uint32Array): Promise<number> {
    return (await this.#ask<{ differing: number }>({ recorded }, 'differing')).differing;
  }

  /** The answer is the message that has this member. */
  async #ask<T extends object>(order: unknown, member: string): Promise<T> {
    if (this.#failed) throw this.#failed;
    const answer = new Promise<T>((resolve) => {
      const listen = (message: object) => {
        if (!(member in message)) return;
        this.#worker.off('message', listen);
        resolve(message as T);
      };
      this.#worker.on('message', listen);
    });
    this.#worker.postMessage(order);
    return withTimeout(answer, 30_000, 'the clients to answer');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.postMessage('end');
    await ended;
  }
}
