import type { Transaction } from '../../changes/change.ts';
import type { LiveListener, LiveStatus } from '../../live/live.ts';
import { nowMicros } from '../../record/time.ts';
import type { RequestHistogram } from '../request-histogram.ts';
import { History, type Series } from './history.ts';
import { BUCKETS, count, quantile } from './quantile.ts';

/** What is measured at each step. Rates are a second's; times are milliseconds. */
export const MEASURES = [
  'transactions',
  'changes',
  'requests',
  'requestP50',
  'requestP99',
  /** From a transaction's commit (the record's clock) to its being applied by every view (this process's). */
  'delayP50',
  'delayP99',
  'lagBytes',
  'walBytes',
  'subscribers',
  'messages',
  /** Of one core. */
  'cpuShare',
  'memoryBytes',
] as const;

export type Measure = (typeof MEASURES)[number];

export const STEP_MS = 5000;
const HOUR_MS = 3600_000;

/** What the meter looks at. */
export interface Measured {
  status(): LiveStatus;
  readonly requests: RequestHistogram;
  readonly connections: { readonly sent: number };
  readonly topics: { readonly subscribers: number };
}

interface Totals {
  readonly at: number;
  readonly transactions: number;
  readonly changes: number;
  readonly messages: number;
  readonly cpuMicros: number;
  readonly requests: Float64Array;
}

/** Measures the process every few seconds and keeps an hour of it. */
export class Meter implements LiveListener {
  readonly #measured: Measured;
  readonly #history = new History<Measure>({ names: MEASURES, length: HOUR_MS / STEP_MS });
  readonly #delays = new Float64Array(BUCKETS);
  readonly #clock: () => number;
  #before: Totals;

  /** `clock` gives milliseconds since 1970. */
  constructor(measured: Measured, clock: () => number = Date.now) {
    this.#measured = measured;
    this.#clock = clock;
    this.#before = this.#totals(measured.status());
  }

  /** The last hour, or the last `steps` of it. */
  read(steps?: number): Series<Measure> {
    return this.#history.read(steps);
  }

  transaction({ committedAt }: Transaction): void {
    count(this.#delays, Math.max(0, nowMicros() - committedAt) / 1e6);
  }

  resync(): void {}

  /** Measures from now on, until the returned function is called. */
  start(): () => void {
    const timer = setInterval(() => this.step(), STEP_MS).unref();
    return () => clearInterval(timer);
  }

  step(): void {
    const status = this.#measured.status();
    const before = this.#before;
    const now = this.#totals(status);
    const seconds = (now.at - before.at) / 1000;
    if (seconds <= 0) return;
    const requests = now.requests.map((value, i) => value - (before.requests[i] ?? 0));
    const rate = (name: 'transactions' | 'changes' | 'messages') => Math.max(0, now[name] - before[name]) / seconds;
    this.#history.push(Math.round(now.at / 1000), {
      transactions: rate('transactions'),
      changes: rate('changes'),
      messages: rate('messages'),
      requests: requests.reduce((sum, value) => sum + value, 0) / seconds,
      requestP50: quantile(requests, 0.5) * 1000,
      requestP99: quantile(requests, 0.99) * 1000,
      delayP50: quantile(this.#delays, 0.5) * 1000,
      delayP99: quantile(this.#delays, 0.99) * 1000,
      lagBytes: Math.max(0, ...status.views.map((view) => view.lagBytes)),
      walBytes: walBytes(status),
      subscribers: this.#measured.topics.subscribers,
      cpuShare: (now.cpuMicros - before.cpuMicros) / 1e6 / seconds,
      memoryBytes: process.memoryUsage.rss(),
    });
    this.#delays.fill(0);
    this.#before = now;
  }

  #totals({ transactions, changes }: LiveStatus): Totals {
    const { user, system } = process.cpuUsage();
    const { requests, connections } = this.#measured;
    return {
      at: this.#clock(),
      transactions,
      changes,
      messages: connections.sent,
      cpuMicros: user + system,
      requests: requests.durations(),
    };
  }
}

/** Log kept back by all slots of the process. */
function walBytes({ slot, projections }: LiveStatus): number {
  return projections.reduce((sum, { retainedBytes }) => sum + retainedBytes, slot?.retainedBytes ?? 0);
}
