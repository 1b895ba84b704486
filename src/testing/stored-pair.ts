import assert from 'node:assert/strict';
import type { Change } from '../changes/change.ts';
import type { Row } from '../record/value.ts';
import type { Operation } from '../views/stored.ts';
import type { MemoryView, ViewDefinition, ViewQuery } from '../views/view.ts';
import type { ScriptBucket } from './script-bucket.ts';

/** A view in memory and the same in a bucket of a store, always given the same: every answer is asked of both. */
export class StoredPair<Query extends ViewQuery<unknown>> {
  readonly memory: MemoryView<Query>;
  readonly #definition: ViewDefinition<Query>;
  readonly #bucket: ScriptBucket;

  constructor(options: { definition: ViewDefinition<Query>; bucket: ScriptBucket }) {
    this.#definition = options.definition;
    this.#bucket = options.bucket;
    this.memory = this.#definition.build();
  }

  async apply(changes: readonly Change[]): Promise<void> {
    this.memory.apply(changes, { xid: 1, lsn: 1 });
    await this.#operate([...this.#kind.changes(changes, { xid: 1 })].map(({ operation }) => operation));
  }

  /** Both are loaded with rows of a snapshot. */
  async load(table: string, rows: readonly Row[]): Promise<void> {
    this.memory.load(table, rows);
    await this.memory.loaded();
    await this.#operate([...this.#kind.load(table, rows)].map(({ operation }) => operation));
  }

  async expire(now: number): Promise<void> {
    this.memory.expire?.(now);
    await this.#operate(this.#kind.expire?.(now) ?? []);
  }

  /** The answer of the store, which is that of memory. */
  async ask(query: Query): Promise<unknown> {
    const answer = await this.stored(query);
    assert.deepEqual(answer, this.memory.answer(query));
    return answer;
  }

  /** Asks all that an audit asks. */
  async audit(): Promise<void> {
    for (const query of this.#kind.audit(this.memory)) await this.ask(query as Query);
    const [entries] = await this.#bucket.read([{ bucket: 0, name: 'entries', args: [] }]);
    assert.equal(entries, this.memory.stats().entries);
    if (this.#kind.unheld) assert.equal(await this.unheld(), this.memory.stats().unheld);
  }

  /** What the store tells of rows that it cannot hold. */
  async unheld(): Promise<string | undefined> {
    const { unheld } = this.#kind;
    return unheld?.text(await this.#bucket.read(unheld.reads));
  }

  get #kind() {
    return this.#definition.stored!;
  }

  async #operate(operations: readonly Operation[]): Promise<void> {
    if (operations.length > 0) await this.#bucket.apply(operations);
  }

  /** The answer of the store alone. */
  async stored(query: Query): Promise<unknown> {
    const reads = this.#kind.read(query);
    return this.#kind.answer(query, reads.length > 0 ? await this.#bucket.read(reads) : []);
  }
}
