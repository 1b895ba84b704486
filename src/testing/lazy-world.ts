import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Change, Table } from '../changes/change.ts';
import type { Row } from '../record/value.ts';
import type { Key, RowsRead } from '../views/lazy.ts';

export const WORLD_TABLE: Table = { oid: 1, name: 'test.rows', columns: [], key: ['id'], full: false };

export interface WorldCommit {
  readonly xid: number;
  readonly lsn: number;
  readonly changes: readonly Change[];
  /** Snapshots see it. */
  visible: boolean;
}

export interface WorldOptions {
  readonly keys: readonly Key[];
  /** Some commits are asynchronous: visible before their log is flushed. */
  readonly asynchronous: boolean;
  readonly firstXid: number;
}

/** A record whose log shows commits before its snapshots do; who follows it takes the commits in `log` in their order. */
export class World {
  readonly log: WorldCommit[] = [];
  readonly keys: readonly Key[];
  readonly asynchronous: boolean;
  readonly #open: number[] = [];
  readonly #rows = new Map<Key, number>();
  readonly #versions = new Map<Key, (number | null)[]>();
  readonly #ended = new Set<number>();
  readonly #firstXid: number;
  #nextXid: number;
  #value = 0;

  constructor({ keys, asynchronous, firstXid }: WorldOptions) {
    this.keys = keys;
    this.asynchronous = asynchronous;
    this.#firstXid = firstXid;
    this.#nextXid = firstXid;
    for (const key of keys) this.#versions.set(key, [null]);
  }

  begin(): void {
    this.#open.push(this.#nextXid++);
  }

  /** A transaction that begins and ends now. */
  xid(): number {
    const xid = this.#nextXid++;
    this.#ended.add(xid);
    return low32(xid);
  }

  /** A transaction waits for those that changed the same rows to end, which is when they become visible. */
  commit(writes: readonly { key: number; value: boolean }[], truncate: boolean, which: number): void {
    const xid = this.#open.splice(which % Math.max(1, this.#open.length), 1)[0] ?? this.#nextXid++;
    for (const each of this.log) {
      const touched = each.changes.some(({ op, before, after }) => {
        const id = (after ?? before)?.id;
        return op === 'truncate' || truncate || writes.some((write) => this.keys[write.key] === id);
      });
      if (touched) this.#show(each);
    }
    const changes = truncate
      ? this.#truncate()
      : writes.flatMap(({ key, value }) => this.#write(this.keys[key]!, value));
    this.log.push({ xid, lsn: 1000 + 10 * this.log.length, changes, visible: false });
  }

  show(which: number): void {
    const hidden = this.log.filter(({ visible }) => !visible);
    if (hidden.length > 0) this.#show(hidden[which % hidden.length]!);
  }

  /** What a statement that runs now reads. */
  read(): RowsRead {
    const xmax = Math.max(this.#firstXid - 1, ...this.#ended) + 1;
    const hidden = this.log.filter(({ visible }) => !visible).map(({ xid }) => xid);
    const running = [...this.#open, ...hidden].filter((xid) => xid < xmax).sort((a, b) => a - b);
    const found = new Map<Key, Row | null>(this.keys.map((key) => [key, null]));
    for (const { changes, visible } of this.log) {
      if (!visible) continue;
      for (const { op, before, after } of changes) {
        if (op === 'truncate') for (const key of found.keys()) found.set(key, null);
        else found.set(((after ?? before) as Row).id as Key, after);
      }
    }
    const end = 990 + 10 * this.log.length;
    const flushed = this.asynchronous ? Math.max(0, end - 20) : end;
    const snapshot = { xmin: low32(running[0] ?? xmax), xmax: low32(xmax), running: running.map(low32) };
    return { seen: { snapshot, flushed, end }, rows: found };
  }

  /** The values of a key's row, null where there was none, from before the first commit on. */
  versions(key: Key): readonly (number | null)[] {
    return this.#versions.get(key)!;
  }

  /** How many times the key's row was changed by the first transactions of the log. */
  versionAt(key: Key, transactions: number): number {
    let version = 0;
    let there = false;
    for (const { changes } of this.log.slice(0, transactions)) {
      for (const { op, before, after } of changes) {
        const own = op === 'truncate' ? there : (after ?? before)?.id === key;
        if (own) version++;
        if (own) there = after !== null;
      }
    }
    return version;
  }

  /** Fails where `value` is older than the row after the first transactions, or (all commits being synchronous) not that row. */
  check(key: Key, value: number | null, applied: number): void {
    const versions = this.versions(key);
    const least = this.versionAt(key, applied);
    if (!this.asynchronous) assert.equal(value, versions[least], `row ${key} at ${applied}`);
    const version = versions.lastIndexOf(value);
    assert.ok(version >= least, `row ${key} is version ${version}, applied is ${least}`);
  }

  #show(commit: WorldCommit): void {
    commit.visible = true;
    this.#ended.add(commit.xid);
  }

  #write(key: Key, value: boolean): Change[] {
    const known = this.#rows.has(key);
    if (!value && !known) return [];
    if (!value) {
      this.#rows.delete(key);
      this.#versions.get(key)!.push(null);
      return [{ op: 'delete', table: WORLD_TABLE, before: { id: key }, after: null }];
    }
    const v = ++this.#value;
    this.#rows.set(key, v);
    this.#versions.get(key)!.push(v);
    return [{ op: known ? 'update' : 'insert', table: WORLD_TABLE, before: null, after: { id: key, v } } as Change];
  }

  #truncate(): Change[] {
    for (const key of this.#rows.keys()) this.#versions.get(key)!.push(null);
    this.#rows.clear();
    return [{ op: 'truncate', table: WORLD_TABLE, before: null, after: null }];
  }
}

/** The transaction id as the log and 32-bit snapshots have it. */
export function low32(xid: number): number {
  return xid % 2 ** 32;
}

const which = fc.nat(9);
/** What happens in the record, for keys by their number. */
export function worldSteps(keys: number) {
  const key = fc.nat(keys - 1);
  return [
    fc.record({ kind: fc.constant('begin' as const) }),
    fc.record({
      kind: fc.constant('commit' as const),
      writes: fc.uniqueArray(fc.record({ key, value: fc.boolean() }), { selector: (write) => write.key, maxLength: 3 }),
      truncate: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      which,
    }),
    fc.record({ kind: fc.constant('show' as const), which }),
  ] as const;
}
