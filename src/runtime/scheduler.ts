import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { PgRecord, RecordTransaction } from '../record/record.ts';
import { nextDue, nextTry, type Timing, timingText } from './timing.ts';

export interface Clock {
  /** Milliseconds since 1970 UTC. */
  now(): number;
  /** Resolves after so many milliseconds, or when aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** One piece of work and when it is done. */
export interface Task {
  /** `<service>/<schedule>` */
  readonly name: string;
  readonly timing: Timing;
  run(signal: AbortSignal): Promise<void>;
}

export interface SchedulerOptions {
  readonly record: PgRecord;
  readonly tasks: readonly Task[];
  readonly log: Pick<Logger, 'info' | 'error'>;
  /** Injected by tests. */
  readonly clock?: Clock;
}

/** How long a node goes without looking whether another one has moved the due time. */
const LOOK_MS = 60_000;
/** While another node is at it, or the record is away. */
const AGAIN_MS = 1000;

const systemClock: Clock = {
  now: Date.now,
  wait: (ms, signal) => sleep(ms, undefined, { signal, ref: false }).catch(() => {}),
};

/**
 * Runs each task when it is due, for as long as the process lives. The due time is in the record, and a run holds an advisory
 * lock in a transaction of its own: so never two runs of one task at once, on however many nodes; a node that dies frees it, and
 * another one runs the task again. The transaction has written nothing, so that it holds no new slot up.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    for (const { name, timing } of options.tasks) {
      try {
        timingText(timing);
      } catch (error) {
        throw new Error(`the schedule ${name}: ${(error as Error).message}`, { cause: error });
      }
    }
  }

  start(): void {
    this.#loops = Promise.all(this.#options.tasks.map((task) => this.#loop(task)));
  }

  /** Waits for the runs in progress, which are told to end. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loops;
  }

  async #loop(task: Task): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const wait = await this.#look(task).catch((error) => {
        this.#options.log.error({ err: error, schedule: task.name }, 'the schedule could not be looked at');
        return AGAIN_MS;
      });
      if (!signal.aborted) await this.#clock.wait(wait, signal);
    }
  }

  /** Runs the task if it is due; returns how long to wait before looking again. */
  async #look(task: Task): Promise<number> {
    const due = await this.#due(task);
    const early = due - this.#clock.now();
    if (early > 0) return Math.min(early, LOOK_MS);
    const { value: next } = await this.#options.record.transaction((tx) => this.#runAlone(tx, task));
    return next === null ? AGAIN_MS : Math.min(Math.max(0, next - this.#clock.now()), LOOK_MS);
  }

  /** The next due time, or null while another node runs the task. */
  async #runAlone(tx: RecordTransaction, task: Task): Promise<number | null> {
    await tx.query(`select set_config(name, '0', true) from pg_settings
      where name in ('idle_in_transaction_session_timeout', 'transaction_timeout')`);
    const [lock] = await tx.query<{ mine: boolean }>(
      `select pg_try_advisory_xact_lock(hashtextextended('lockstep schedule ' || $1, 0)) as mine`,
      [task.name],
    );
    if (!lock!.mine) return null;
    const due = await this.#due(task); // another node may have been quicker
    return due > this.#clock.now() || this.#stop.signal.aborted ? due : this.#run(task);
  }

  async #run(task: Task): Promise<number> {
    const { log, record } = this.#options;
    const started = this.#clock.now();
    let failure: Error | null = null;
    try {
      await task.run(this.#stop.signal);
      log.info({ schedule: task.name, ms: this.#clock.now() - started }, 'a scheduled run is done');
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      log.error({ err: failure, schedule: task.name }, 'a scheduled run failed');
    }
    const now = this.#clock.now();
    const next = (failure ? nextTry : nextDue)(task.timing, now);
    await record.transaction((tx) =>
      tx.query(FINISHED, [task.name, iso(next), iso(started), iso(now), failure?.message]),
    );
    return next;
  }

  /** Milliseconds since 1970; the first time it is asked for, the schedule begins. */
  async #due({ name, timing }: Task): Promise<number> {
    const text = timingText(timing);
    const { record } = this.#options;
    const [row] = await record.query<{ due: number; timing: string }>(DUE, [name]);
    if (row?.timing === text) return row.due / 1000;
    const due = nextDue(timing, this.#clock.now());
    await record.transaction((tx) => tx.query(BEGIN, [name, text, iso(due)]));
    return due;
  }
}

const DUE = 'select due, timing from lockstep.schedules where name = $1';
/** A node that is at it with the same timing has been first: its due time stays. */
const BEGIN = `
  insert into lockstep.schedules as s (name, timing, due) values ($1, $2, $3)
  on conflict (name) do update set timing = excluded.timing, due = excluded.due where s.timing <> excluded.timing`;
const FINISHED = `
  update lockstep.schedules set due = $2, started_at = $3, finished_at = $4, error = $5 where name = $1`;

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
