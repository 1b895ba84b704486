import { Worker } from 'node:worker_threads';

/** One request of the load. Its path, headers and body are sent as they are. */
export interface LoadRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface LoadOptions {
  readonly port: number;
  readonly host?: string;
  /** Kept-alive connections; each has one request under way at a time. */
  readonly connections: number;
  /** How long is measured, after `warmupSeconds` (0.5 unless told). */
  readonly seconds: number;
  readonly warmupSeconds?: number;
  /** The i-th request; made before the load starts, `distinct` (1000 unless told) of them, sent round and round. */
  request(i: number): LoadRequest;
  readonly distinct?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Milliseconds from sending a request to having its whole answer. */
  readonly latency: { readonly p50: number; readonly p90: number; readonly p99: number; readonly max: number };
  /** Answers by status. */
  readonly statuses: Readonly<Record<number, number>>;
  readonly bytes: number;
}

/** What the worker is given. */
export interface LoadOrder extends Pick<LoadOptions, 'port' | 'connections' | 'seconds'> {
  readonly host: string;
  readonly warmupSeconds: number;
  readonly requests: readonly string[];
}

/** Loads a server from a thread of its own, so that the server has its own event loop to itself. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const host = options.host ?? '127.0.0.1';
  const order: LoadOrder = {
    host,
    port: options.port,
    connections: options.connections,
    seconds: options.seconds,
    warmupSeconds: options.warmupSeconds ?? 0.5,
    requests: Array.from({ length: options.distinct ?? 1000 }, (_, i) =>
      encode(options.request(i), host, options.port),
    ),
  };
  const worker = new Worker(new URL('./load-worker.ts', import.meta.url), { workerData: order });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the load generator ended early with code ${code}`)));
  });
}

function encode(request: LoadRequest, host: string, port: number): string {
  const body = request.body ?? '';
  const headers = { host: `${host}:${port}`, ...request.headers };
  if (body)
    Object.assign(headers, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${request.method ?? (body ? 'POST' : 'GET')} ${request.path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
