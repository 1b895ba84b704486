import type { RequestHistogram } from '../request-histogram.ts';
import { quantile } from './quantile.ts';

/** What a route did in the last hour. Milliseconds. */
export interface RouteLoad {
  readonly method: string;
  readonly route: string;
  readonly requests: number;
  /** Answered with 5xx. */
  readonly failed: number;
  readonly p50: number;
  readonly p99: number;
  /** All requests together. */
  readonly total: number;
}

const EVERY_MS = 300_000;
const KEPT = 12;
const MAX = 20;

/** Files of the pages and of `/docs`. */
const FILES = /^\/(assets\/|docs\/static\/|:file)/;

interface Taken {
  readonly at: number;
  readonly counts: readonly Float64Array[];
}

/** Which routes are slow, files aside, by what was counted since about an hour ago: snapshots of the counters every five minutes. */
export class RouteLoads {
  readonly #requests: RequestHistogram;
  #taken: Taken[] = [];

  /** `now`: milliseconds. */
  constructor(requests: RequestHistogram, now: number) {
    this.#requests = requests;
    this.step(now);
  }

  /** To be called now and then. */
  step(now: number): void {
    if (this.#taken.length > 0 && now - this.#taken.at(-1)!.at < EVERY_MS) return;
    this.#taken.push({ at: now, counts: this.#requests.routes.map(({ counts }) => counts.slice()) });
    this.#taken = this.#taken.slice(-KEPT);
  }

  /** Slowest first, by the 99th percentile. */
  slowest(): RouteLoad[] {
    const before = this.#taken[0]?.counts ?? [];
    return this.#requests.routes
      .map(({ method, route, counts }, i) => this.#load({ method, route, counts, before: before[i] }))
      .filter(({ requests, route }) => requests > 0 && !FILES.test(route))
      .sort((a, b) => b.p99 - a.p99 || b.total - a.total)
      .slice(0, MAX);
  }

  #load(of: { method: string; route: string; counts: Float64Array; before: Float64Array | undefined }): RouteLoad {
    const { method, route, counts, before } = of;
    const since = counts.map((value, i) => value - (before?.[i] ?? 0));
    const { durations, requests, failed, seconds } = this.#requests.summary(since);
    return {
      method,
      route,
      requests,
      failed,
      // No single one took longer than all together.
      p50: Math.min(seconds, quantile(durations, 0.5)) * 1000,
      p99: Math.min(seconds, quantile(durations, 0.99)) * 1000,
      total: seconds * 1000,
    };
  }
}
