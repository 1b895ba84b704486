import { setTimeout as sleep } from 'node:timers/promises';
import type { Argument, Operation } from '../../../stored.ts';
import type { ValkeyConnection } from '../connection.ts';
import { StoreFault, StoreUnavailable } from '../errors.ts';
import type { Script } from '../wire/script.ts';
import { type KindScripts, SCRIPTS } from './scripts.ts';

/** Operations in one call: a few milliseconds of the server's time. */
const CALL_OPERATIONS = 2000;
/** How long a write tries for a server that is away. */
const PATIENCE_MS = 5000;

export interface BucketWriterOptions {
  readonly connection: ValkeyConnection;
  readonly scripts: KindScripts;
  /** The bucket's key. */
  readonly pointer: string;
  readonly generation: number;
  /** The leader's epoch. */
  readonly leader: number;
  /** The record's. */
  readonly epoch: string;
  /** Where the bucket stands (LSN). */
  readonly position: number;
}

/** What one transaction, or several, do to a bucket. */
interface Step {
  /** Where the last of them ends (LSN). */
  next: number;
  readonly operations: Operation[];
}

interface Part {
  readonly next: number;
  readonly operations: readonly Operation[];
  /** More of the same step follows. */
  readonly more: boolean;
  /** It is no transaction's. */
  readonly idle?: true;
}

/**
 * One bucket of one generation, as its leader writes it. Each call of the server takes the bucket from one position to the next,
 * and says from which: what the server did not know it had done is sent again, and passed over if it had (CORRECTNESS 5). A
 * transaction that is too large for one call comes in parts, numbered, and the bucket is not read before the last.
 */
export class BucketWriter {
  readonly #options: BucketWriterOptions;
  #steps: Step[] = [];
  #later: Operation[] = [];
  /** Parts of the present step that are there. */
  #parts = 0;
  #skipping = false;
  /** Everything that ends at or before it is in the bucket (LSN). */
  position: number;

  constructor(options: BucketWriterOptions) {
    this.#options = options;
    this.position = options.position;
  }

  /** Nothing is gathered for it. */
  get isIdle(): boolean {
    return this.#steps.length === 0 && this.#later.length === 0 && this.#parts === 0;
  }

  get pointer(): string {
    return this.#options.pointer;
  }

  /** Gathers an operation of the transaction that ends at `lsn`. */
  add(operation: Operation, lsn: number): void {
    if (lsn <= this.position) return;
    const last = this.#steps.at(-1);
    if (last && (last.next === lsn || last.operations.length < CALL_OPERATIONS / 2)) {
      last.operations.push(operation);
      last.next = lsn;
    } else this.#steps.push({ next: lsn, operations: [operation] });
  }

  /** Gathers an operation that belongs to no transaction. */
  addLater(operation: Operation): void {
    this.#later.push(operation);
  }

  /** Writes what was gathered; the bucket stands at `next` then. */
  async flush(next: number): Promise<void> {
    if (next <= this.position) return;
    const steps = this.#steps;
    this.#steps = [];
    if (steps.length === 0)
      return this.#write({ next, operations: this.#later.splice(0, CALL_OPERATIONS), more: false, idle: true });
    const last = steps.at(-1)!;
    last.next = next;
    last.operations.push(...this.#later.splice(0));
    for (const step of steps) for (const part of partsOf(step.operations, step.next)) await this.#write(part);
  }

  /** A large transaction follows in slices. `commitLsn` lies before its end: a bucket that is past it has the transaction. */
  begin(commitLsn: number): void {
    this.#skipping = commitLsn < this.position;
    this.#parts = 0;
  }

  /** Writes a slice of it. */
  async slice(operations: readonly Operation[], commitLsn: number): Promise<void> {
    if (this.#skipping || operations.length === 0) return;
    for (const part of partsOf(operations, commitLsn + 1)) await this.#write({ ...part, more: true });
  }

  /** It is whole: the bucket stands at its end. */
  async finish(next: number): Promise<void> {
    this.#skipping = false;
    if (next > this.position) await this.#write({ next, operations: [], more: false });
  }

  /** Writes rows of a snapshot. The last call says where the bucket stands then. */
  async load(operations: readonly Operation[], position: number | null): Promise<void> {
    const { scripts, generation, leader } = this.#options;
    const parts = partsOf(operations, position ?? 0);
    for (const { operations, more } of parts) {
      const stands = more || position === null ? '' : String(position);
      await this.call(scripts.load, [String(generation), String(leader), stands, ...flat(operations)]);
    }
    if (position !== null) this.position = position;
  }

  /** Runs a script on the bucket until the server has answered; throws `StoreFault` where it refuses. */
  async call(script: Script, args: readonly Argument[]): Promise<void> {
    const { connection, pointer } = this.#options;
    const answer = String(await patiently(() => connection.run(script, pointer, args)));
    if (answer === 'applied' || answer === 'skipped') return;
    const reason = (['gap', 'deposed', 'absent'] as const).find((word) => answer.startsWith(word)) ?? 'gap';
    throw new StoreFault(reason, `${pointer} answers "${answer}"`);
  }

  async #write({ next, operations, more, idle }: Part): Promise<void> {
    const { scripts, generation, leader, epoch } = this.#options;
    const script = operations.length > 0 ? scripts.step : SCRIPTS.stamp;
    const positions = [String(this.position), String(next), String(this.#parts), more ? '1' : idle ? '-' : '0'];
    await this.call(script, [String(generation), String(leader), epoch, ...positions, ...flat(operations)]);
    if (more) this.#parts++;
    else {
      this.#parts = 0;
      this.position = next;
    }
  }
}

/** At least one; all but the last with `more`. */
function partsOf(operations: readonly Operation[], next: number): Part[] {
  const parts: Part[] = [];
  for (let start = 0; start === 0 || start < operations.length; start += CALL_OPERATIONS) {
    const end = start + CALL_OPERATIONS;
    parts.push({ next, operations: operations.slice(start, end), more: end < operations.length });
  }
  return parts;
}

function flat(operations: readonly Operation[]): Argument[] {
  const args: Argument[] = [];
  for (const operation of operations) args.push(String(operation.length - 1), ...operation);
  return args;
}

/** Again and again while the server is away: what it did all the same is passed over. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + PATIENCE_MS; ; await sleep(10)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || performance.now() > deadline) throw error;
    }
  }
}
