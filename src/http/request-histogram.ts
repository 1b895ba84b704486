import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Upper bounds in seconds. */
export const BOUNDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
/** One route's and one status class's: a count for each bound and one above, then the sum of seconds. */
const WIDTH = BOUNDS.length + 2;

declare module 'fastify' {
  interface FastifyRequest {
    /** `performance.now()` when the request came to its route. */
    startedAt: number;
    /** Its route's counters. */
    counts: Float64Array | null;
  }
}

export interface RouteCounts {
  readonly method: string;
  readonly route: string;
  readonly counts: Float64Array;
}

interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * Seconds from a request's arrival at its route to its answer being sent, by method, route and status class; what reached
 * none counts as route `none`, with no time. The route knows its counters, so a request costs two clock reads and two
 * additions; `onSend` rather than `onResponse`, which would add listeners to every response (0.6 us). Streams are not in
 * it. Has the form of the Prometheus client's metrics.
 */
export class RequestHistogram {
  readonly name = 'lockstep_http_request_seconds';
  readonly #routes: RouteCounts[] = [];

  /** Counts every request of `app`, by the routes it gets from now on. */
  install(app: FastifyInstance): void {
    const none = this.#add('any', 'none');
    app.decorateRequest('startedAt', 0);
    app.decorateRequest('counts', null);
    app.addHook('onRoute', (options) => {
      const counts = this.#add([options.method].flat().join(','), options.url);
      const count = (request: FastifyRequest, _reply: unknown, done: () => void) => {
        startAt(request, counts);
        done();
      };
      options.onRequest = [count, ...[options.onRequest ?? []].flat()];
    });
    app.addHook('onSend', (request, reply, payload, done) => {
      if (!request.counts) startAt(request, none);
      observe(request, reply.statusCode);
      done(null, payload);
    });
  }

  /** Each route's counters, as long as the process lives; to be read alone. */
  get routes(): readonly RouteCounts[] {
    return this.#routes;
  }

  /** Requests by how long they took, of all routes: one count for each bound and one above. */
  durations(): Float64Array {
    const sum = new Float64Array(BOUNDS.length + 1);
    for (const { route, counts } of this.#routes) {
      if (route === 'none') continue; // they took no time
      const { durations } = this.summary(counts);
      for (let i = 0; i < sum.length; i++) sum[i]! += durations[i]!;
    }
    return sum;
  }

  /** A route's counters, whatever the status. */
  summary(counts: Float64Array): { durations: Float64Array; requests: number; failed: number; seconds: number } {
    const durations = new Float64Array(BOUNDS.length + 1);
    let [requests, failed, seconds] = [0, 0, 0];
    CLASSES.forEach((status, i) => {
      for (let bucket = 0; bucket < durations.length; bucket++) {
        const here = counts[i * WIDTH + bucket]!;
        durations[bucket]! += here;
        requests += here;
        if (status === '5xx') failed += here;
      }
      seconds += counts[i * WIDTH + WIDTH - 1]!;
    });
    return { durations, requests, failed, seconds };
  }

  get() {
    const help = 'Seconds from the arrival of a request to its answer.';
    return { name: this.name, help, type: 'histogram', aggregator: 'sum', values: this.#samples() };
  }

  #add(method: string, route: string): Float64Array {
    const counts = new Float64Array(WIDTH * CLASSES.length);
    this.#routes.push({ method, route, counts });
    return counts;
  }

  #samples(): Sample[] {
    return this.#routes.flatMap((each) => CLASSES.flatMap((status, i) => this.#series(each, status, i * WIDTH)));
  }

  #series({ method, route, counts }: RouteCounts, status: string, from: number): Sample[] {
    const labels = { method, route, status };
    let total = 0;
    const buckets = [...BOUNDS, '+Inf'].map((le, i) => {
      total += counts[from + i]!;
      return { metricName: `${this.name}_bucket`, labels: { ...labels, le }, value: total };
    });
    if (total === 0) return [];
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: counts[from + WIDTH - 1]! },
      { metricName: `${this.name}_count`, labels, value: total },
    ];
  }
}

function startAt(request: FastifyRequest, counts: Float64Array): void {
  request.startedAt = performance.now();
  request.counts = counts;
}

/** Counts an answer that is being sent; for answers that do not go through `onSend`. */
export function observe(request: FastifyRequest, status: number): void {
  const { counts, startedAt } = request;
  if (!counts) return;
  const seconds = (performance.now() - startedAt) / 1000;
  const from = (Math.floor(status / 100) - 1) * WIDTH;
  let bucket = 0;
  while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]!) bucket++;
  counts[from + bucket]! += 1;
  counts[from + WIDTH - 1]! += seconds;
}
