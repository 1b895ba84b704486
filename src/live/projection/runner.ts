import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { SlotBusy } from '../../changes/errors.ts';
import { type FeedSession, RebuildNeeded, type RebuildReason, type Source } from '../../changes/feed.ts';
import { formatPosition, type Position } from '../../changes/position.ts';
import { dropSlot, overLimit, readSlot } from '../../changes/slot.ts';
import { ClientError } from '../../record/errors.ts';
import type { PgRecord } from '../../record/record.ts';
import { Backoff } from '../backoff.ts';
import type { Progress, ProjectionState, ProjectionStatus, VerifyReport } from '../live.ts';
import { type DeadLetter, newestLetters } from './letters.ts';
import { reconcile } from './reconcile.ts';
import { retryDeadLetters } from './retry.ts';
import { PositionMoved, type ProjectionPosition, type ProjectionTarget } from './target.ts';
import { Turn } from './turn.ts';
import { verifyProjection } from './verify.ts';
import { Writer } from './writer.ts';

/** How often a node that does not follow looks whether it may, and how often the others look after the log. */
const LOOK_MS = 1000;
/** How often the schema is compared and the dead letters are counted. */
const TEND_MS = 5000;
/** How long a verification waits: for the projection to follow, and for the target to come up to the snapshot. */
const PATIENCE_MS = 60_000;

export interface RunnerOptions {
  readonly service: string;
  readonly name: string;
  readonly target: ProjectionTarget;
  readonly record: PgRecord;
  /** One of its own, durable: a target that is down holds up nothing else, and catches up (CORRECTNESS 14). */
  readonly slot: string;
  readonly walLimitBytes: number;
  /** Opens a session with that slot, publication in place. `anew`: with a new slot and its snapshot. */
  open(options: { sources: readonly Source[]; state: Position | null; anew: boolean }): Promise<FeedSession>;
  /** Opens a session with a temporary slot and its snapshot, beside that one. */
  openAside(sources: readonly Source[]): Promise<FeedSession>;
  /** Makes sure that the tables are published. */
  prepare(): Promise<void>;
  /** What the followed tables look like now. */
  fingerprint(): Promise<string>;
  /** The end of the record's log. */
  recordEnd(): number;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/**
 * Follows the record into a projection's target for as long as the process lives: one node at a time, by an advisory lock that
 * spares the others the trouble, the slot, which PostgreSQL gives to one, and the leader's number in the target, which makes
 * sure. After any loss it goes on from the position that the target has; where the log cannot give that, it reconciles.
 */
export class ProjectionRunner {
  readonly #options: RunnerOptions;
  readonly #stop = new AbortController();
  readonly #backoff = new Backoff({ firstMs: 50, maxMs: 5000 });
  #running: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #writer: Writer | undefined;
  #session: FeedSession | undefined;
  #state: ProjectionState = 'starting';
  #position: string | null = null;
  #lsn = 0;
  #fault: string | null = null;
  /** The fault that was logged last: one that comes again and again is logged once. */
  #told: string | null = null;
  #letters = 0;
  #retained = 0;
  #rows = 0;
  #reconciles = 0;
  #progress: ProjectionStatus['progress'] = null;
  #anew: RebuildReason | null = null;
  #verifying = false;
  #rebuilt: { resolve(): void; reject(error: Error): void; progress: Progress | undefined }[] = [];

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  get name(): string {
    return `${this.#options.service}/${this.#options.name}`;
  }

  get target(): ProjectionTarget {
    return this.#options.target;
  }

  /** As services use it. */
  readonly handle = {
    status: () => this.status(),
    target: () => this.target.record(),
    retry: () => retryDeadLetters(this.target),
  };

  /** The newest of them. */
  async deadLetters(limit: number): Promise<DeadLetter[]> {
    return newestLetters(await this.target.record(), this.name, limit);
  }

  start(): void {
    this.#running = this.#run();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    this.#stop.abort();
    this.#writer?.end(new Error('stopped'));
    await this.#running;
    for (const { reject } of this.#rebuilt.splice(0)) reject(new Error('the server stops'));
    await this.#options.target.close();
  }

  status(): ProjectionStatus {
    const { service, name, recordEnd } = this.#options;
    return {
      service,
      name,
      kind: 'projection',
      state: this.#state,
      position: this.#position,
      lagBytes: Math.max(0, recordEnd() - Math.max(this.#lsn, this.#writer?.reached ?? 0)),
      retainedBytes: this.#session?.retainedBytes ?? this.#retained,
      rows: this.#rows + (this.#writer?.rows ?? 0),
      deadLetters: this.#letters,
      rebuilds: this.#reconciles,
      progress: this.#progress,
      fault: this.#fault,
    };
  }

  /** Brings the target in line with a new snapshot. Resolves when that is done. */
  rebuild(progress?: Progress): Promise<void> {
    if (this.#state === 'standby') return Promise.reject(this.#elsewhere());
    return new Promise((resolve, reject) => {
      this.#rebuilt.push({ resolve, reject, progress });
      this.#anew = 'requested';
      this.#writer?.end(new RebuildNeeded('requested', 'asked for'));
    });
  }

  /** Compares the target with the record, both at one position, while everything goes on. One at a time. */
  async verify(progress?: Progress): Promise<VerifyReport> {
    if (this.#verifying) throw new ClientError(409, `The projection ${this.name} is being verified.`);
    this.#verifying = true;
    try {
      const deadline = performance.now() + PATIENCE_MS;
      const writer = await this.#following(deadline);
      const { target } = this.#options;
      return await verifyProjection({
        target,
        open: () => this.#options.openAside(target.definition.tables.map(({ source }) => ({ table: source }))),
        reach: (lsn) => this.#stored(writer, lsn, deadline),
        settled: () => (this.#writer === writer ? writer.settled : null),
        readAhead: () => writer.readAhead,
        deadline,
        ...(progress && { progress }),
      });
    } finally {
      this.#verifying = false;
    }
  }

  #elsewhere(): ClientError {
    return new ClientError(409, `Another node follows the projection ${this.name}: ask that one.`);
  }

  async #following(deadline: number): Promise<Writer> {
    for (;;) {
      if (this.#writer) return this.#writer;
      if (this.#state === 'standby') throw this.#elsewhere();
      if (performance.now() > deadline || this.#stop.signal.aborted) {
        throw new ClientError(
          409,
          `The projection ${this.name} is ${this.#state}: ${this.#fault ?? 'try again later'}.`,
        );
      }
      await sleep(20);
    }
  }

  /** Waits until the target's position is `lsn` or after it. */
  async #stored(writer: Writer, lsn: number, deadline: number): Promise<void> {
    while (writer.position.lsn! < lsn) {
      if (this.#writer !== writer || performance.now() > deadline) {
        throw new ClientError(
          409,
          `The projection ${this.name} did not come up to the record: ${this.#fault ?? 'try again later'}.`,
        );
      }
      writer.store(lsn);
      await sleep(2);
    }
  }

  async #run(): Promise<void> {
    const turn = new Turn({
      url: this.#options.record.replicationUrl,
      projection: this.name,
      slot: this.#options.slot,
      lost: () => this.#writer?.end(new PositionMoved(this.name)),
    });
    try {
      while (!this.#stop.signal.aborted) {
        const error = await this.#lead(turn).catch((error: Error) => error);
        if (this.#stop.signal.aborted) return;
        if (error) await this.#recover(error);
        else await this.#wait(LOOK_MS);
      }
    } finally {
      await turn.close();
    }
  }

  /** What is to be done about the end of a turn. */
  async #recover(error: Error): Promise<void> {
    const { log } = this.#options;
    if (error instanceof RebuildNeeded) {
      this.#anew = error.reason;
      if (error.reason !== 'requested') {
        log.warn({ projection: this.name, reason: error.message }, 'the projection is reconciled');
        await this.#backoff.wait(this.#stop.signal);
      }
      return;
    }
    if (!(error instanceof SlotBusy || error instanceof PositionMoved)) {
      this.#state = 'waiting';
      if (this.#told !== error.message) log.warn({ projection: this.name, err: error }, 'the projection waits');
      this.#fault = error.message;
      this.#told = error.message;
    }
    await this.#boundLog();
    await this.#backoff.wait(this.#stop.signal);
  }

  /** Follows until something ends that, and throws it; returns at once while another node does. */
  async #lead(turn: Turn): Promise<void> {
    if (!(await turn.take())) {
      await this.#standBy();
      return;
    }
    try {
      await this.#follow();
    } finally {
      await turn.giveBack();
    }
  }

  async #standBy(): Promise<void> {
    this.#state = 'standby';
    this.#fault = null;
    for (const { reject } of this.#rebuilt.splice(0)) reject(this.#elsewhere()); // asked for while it was this node's turn
    if (this.#anew === 'requested') this.#anew = null;
    const now = await this.#options.target.position();
    this.#stand(now);
    this.#letters = (await this.#options.target.held()).size;
  }

  async #follow(): Promise<void> {
    const { target } = this.#options;
    const before = await target.position();
    await this.#options.prepare();
    const fingerprint = await this.#options.fingerprint();
    const drifted = before.lsn !== null && before.fingerprint !== fingerprint;
    const sources = target.definition.tables.map(({ source }) => ({ table: source }));
    const anew = this.#anew !== null || before.lsn === null || drifted;
    const { epoch, lsn } = before;
    const state = epoch === null || lsn === null ? null : { epoch, lsn };
    const session = await this.#options.open({ sources, state, anew });
    this.#session = session;
    try {
      const position = await this.#begin(session, before, fingerprint);
      await this.#write(session, position, fingerprint);
    } finally {
      this.#session = undefined;
      await session.close();
    }
  }

  /** Takes over, and reconciles where the slot is a new one. */
  async #begin(session: FeedSession, before: ProjectionPosition, fingerprint: string): Promise<ProjectionPosition> {
    const { target } = this.#options;
    const position = await target.takeOver();
    if (!session.snapshot)
      return position.epoch === session.epoch ? position : target.goOn(position, before, session.epoch);
    this.#state = 'reconciling';
    const waiting = this.#rebuilt.splice(0);
    const reason = this.#anew ?? (position.lsn === null ? 'first start' : 'slot lost');
    const progress = (rows: number, of: number) => {
      this.#progress = { rows, of, reason };
      for (const each of waiting) each.progress?.(rows, of);
      if (this.#stop.signal.aborted) throw new Error('stopped');
    };
    try {
      const reached = await reconcile({ session, target, position, fingerprint, progress });
      this.#anew = this.#rebuilt.length > 0 ? 'requested' : null; // asked for meanwhile
      this.#reconciles++;
      for (const { resolve } of waiting) resolve();
      return reached;
    } catch (error) {
      for (const { reject } of waiting) reject(error as Error);
      throw error;
    } finally {
      this.#progress = null;
    }
  }

  async #write(session: FeedSession, position: ProjectionPosition, fingerprint: string): Promise<void> {
    const { target, record, log } = this.#options;
    const held = await target.held();
    const writer = new Writer({ session, target, record, position, held });
    this.#writer = writer;
    this.#state = 'following';
    this.#fault = null;
    log.info(
      { projection: this.name, position: formatPosition({ epoch: position.epoch!, lsn: position.lsn! }) },
      'the projection follows',
    );
    const look = setInterval(() => this.#look(writer), LOOK_MS);
    const tend = setInterval(() => this.#tend(writer, fingerprint), TEND_MS);
    this.#look(writer);
    try {
      if (this.#stop.signal.aborted || this.#anew) return;
      await writer.run();
    } finally {
      clearInterval(look);
      clearInterval(tend);
      await writer.stop();
      this.#look(writer);
      if (writer.rows > 0) this.#backoff.reset();
      this.#rows += writer.rows;
      this.#writer = undefined;
    }
  }

  #look(writer: Writer): void {
    this.#stand(writer.position);
    this.#letters = writer.held;
    writer.tick();
    this.#session?.poke();
  }

  #stand({ epoch, lsn }: ProjectionPosition): void {
    this.#position = epoch === null || lsn === null ? null : formatPosition({ epoch, lsn });
    this.#lsn = lsn ?? 0;
  }

  /** DDL changes rows without telling (CORRECTNESS 15). */
  #tend(writer: Writer, fingerprint: string): void {
    this.#options.fingerprint().then(
      (now) => {
        if (now !== fingerprint)
          writer.end(new RebuildNeeded('schema changed', 'the followed tables are not what they were'));
      },
      () => {}, // the record is away, which the stream tells
    );
  }

  /** While nothing follows, the slot keeps the log: given back at the limit, and the target is reconciled when it is there again. */
  async #boundLog(): Promise<void> {
    const { record, slot, walLimitBytes, log } = this.#options;
    const ask = (sql: string, parameters?: readonly unknown[]) =>
      record.query<Readonly<Record<string, unknown>>>(sql, parameters);
    try {
      const state = await readSlot(ask, slot);
      this.#retained = state?.retainedBytes ?? 0;
      if (!state || state.activePid || state.retainedBytes <= walLimitBytes) return;
      await dropSlot(ask, slot);
      log.warn(
        { projection: this.name, reason: overLimit(slot, state.retainedBytes, walLimitBytes).message },
        'the slot was given back',
      );
    } catch {
      // the record is away: there is nothing to bound
    }
  }

  async #wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }
}
