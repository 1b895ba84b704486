import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Change, Table } from '../../../changes/change.ts';
import type { Row } from '../../../record/value.ts';
import { BROKEN_LEASES } from '../../../testing/broken-leases.ts';
import type { Key, Lease, RowsRead } from '../../lazy.ts';
import { byVisibility } from '../../row-cache/lease.ts';
import { rows } from '../../row-cache/queries.ts';
import type { RowCacheShape } from '../../row-cache/row-cache.ts';
import { MemoryRowCache } from './row-cache.ts';

const TABLE: Table = { oid: 1, name: 'test.rows', columns: [], key: ['id'], full: false };
const KEYS = 4;

function shapeWith(changes: Partial<RowCacheShape> = {}): RowCacheShape {
  const limits = { ttlMs: Number.POSITIVE_INFINITY, absentTtlMs: Number.POSITIVE_INFINITY, maxBytes: 2 ** 20 };
  const names = { table: TABLE.name, id: 'id', idType: 'integer', columns: ['id', 'v'], eviction: 'lru' } as const;
  return { ...names, ...limits, lease: byVisibility, clock: () => 0, ...changes };
}

interface Committed {
  readonly xid: number;
  readonly lsn: number;
  readonly changes: readonly Change[];
  /** Snapshots see it. */
  visible: boolean;
}

/** The row of a key after each commit that changed it; null where there was none. */
type Versions = (number | null)[];

/** A read of the record alone. */
interface Through {
  readonly key: Key;
  /** The version that was applied when it began. */
  readonly least: number;
  isMetBy(read: RowsRead): boolean;
  read: RowsRead | null;
}

/** A record whose log shows commits before its snapshots do, and a cache that follows it: one step at a time. */
class World {
  readonly cache: MemoryRowCache;
  readonly #log: Committed[] = [];
  readonly #open: number[] = [];
  readonly #rows = new Map<Key, number>();
  readonly #versions = new Map<Key, Versions>();
  readonly #readings: { keys: Key[]; read: RowsRead | null; arrived: boolean }[] = [];
  readonly #through: Through[] = [];
  readonly #seenByReader = new Map<Key, number>();
  #applied = 0;
  #nextXid = 100;
  #value = 0;
  #started = false;
  /** Whether the cache is told what had committed before it began. */
  readonly #told: boolean;
  now = 0;
  /** Some commits are asynchronous: visible before their log is flushed. */
  readonly #asynchronous: boolean;

  constructor(options: { lease: Lease; maxBytes: number; asynchronous: boolean; maxTouches: number; told: boolean }) {
    const { lease, maxBytes, maxTouches } = options;
    this.#told = options.told;
    const shape = shapeWith({ lease, maxBytes, ttlMs: 50, absentTtlMs: 20, clock: () => this.now });
    this.cache = new MemoryRowCache({ shape, maxTouches });
    this.#asynchronous = options.asynchronous;
    for (let key = 0; key < KEYS; key++) this.#versions.set(key, [null]);
  }

  begin(): void {
    this.#open.push(this.#nextXid++);
  }

  /** A transaction waits for those that changed the same rows to end, which is when they become visible. */
  commit(writes: readonly { key: number; value: boolean }[], truncate: boolean, which: number): void {
    const xid = this.#open.splice(which % Math.max(1, this.#open.length), 1)[0] ?? this.#nextXid++;
    for (const each of this.#log) {
      const touched = each.changes.some(({ op, before, after }) => {
        const key = (after ?? before)?.id;
        return op === 'truncate' || truncate || writes.some((write) => write.key === key);
      });
      if (touched) each.visible = true;
    }
    const changes = truncate ? this.#truncate() : writes.flatMap((write) => this.#write(write.key, write.value));
    this.#log.push({ xid, lsn: 1000 + 10 * this.#log.length, changes, visible: false });
  }

  show(which: number): void {
    const hidden = this.#log.filter(({ visible }) => !visible);
    if (hidden.length > 0) hidden[which % hidden.length]!.visible = true;
  }

  apply(): void {
    this.#start();
    const next = this.#log[this.#applied];
    if (!next) return;
    this.cache.apply(next.changes, next);
    this.#applied++;
    this.#settleReadings();
  }

  ask(keys: readonly Key[]): void {
    this.#start();
    const missing = this.cache.missing(keys).filter((key) => !this.#readings.some((each) => each.keys.includes(key)));
    if (missing.length === 0) return;
    this.cache.begin(missing);
    this.#readings.push({ keys: missing, read: null, arrived: false });
  }

  askThrough(key: Key): void {
    this.#start();
    const expectation = this.cache.expect([key]);
    const isMetBy = ({ seen }: RowsRead) => expectation.isMetBy(seen);
    this.#through.push({ key, least: this.#versionAt(key, this.#applied), isMetBy, read: null });
  }

  /** What is kept is the row at the position: older than what a reading saw of an asynchronous commit, let go of since. */
  keep(key: Key): void {
    if (!this.#asynchronous) this.cache.keep([key]);
  }

  /** The statement runs. */
  read(which: number): void {
    const waiting = [...this.#readings, ...this.#through].filter(({ read }) => !read);
    if (waiting.length > 0) waiting[which % waiting.length]!.read = this.#snapshot();
  }

  /** Its answer arrives. */
  arrive(which: number): void {
    const sent = this.#readings.filter(({ read, arrived }) => read && !arrived);
    const reading = sent[which % Math.max(1, sent.length)];
    if (reading) {
      const refused = this.cache.arrived(reading.keys, reading.read!);
      reading.arrived = true;
      if (refused.length > 0) this.#readings.push({ keys: refused, read: null, arrived: false });
      reading.keys = reading.keys.filter((key) => !refused.includes(key));
      this.#settleReadings();
    }
    const through = this.#through.findIndex(({ read }) => read);
    if (through >= 0) this.#arriveThrough(this.#through.splice(through, 1)[0]!);
  }

  /** Whatever is held is the row as of the position, or (read with an asynchronous commit in it) a later one. */
  check(): void {
    for (let key = 0; key < KEYS; key++) {
      const held = this.cache.peek(rows([key]));
      if (held === undefined) continue;
      const least = this.#versionAt(key, this.#applied);
      const versions = this.#versions.get(key)!;
      const value = held[0] === null ? null : (JSON.parse(held[0]!) as { v: number }).v;
      if (!this.#asynchronous) assert.equal(value, versions[least], `row ${key} at ${this.#applied}`);
      const version = versions.lastIndexOf(value);
      assert.ok(version >= least, `row ${key} is version ${version}, applied is ${least}`);
      assert.ok(version >= (this.#seenByReader.get(key) ?? 0), `row ${key} went back`);
      // The earliest it can be: rows that are not there look alike.
      this.#seenByReader.set(key, Math.max(versions.indexOf(value, least), this.#seenByReader.get(key) ?? 0));
    }
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#applied = this.#log.length; // in the snapshot it starts from, visible to others or not
    const running = this.#open.toSorted((a, b) => a - b);
    if (this.#told) this.cache.begins({ xmin: running[0] ?? this.#nextXid, xmax: this.#nextXid, running });
  }

  #arriveThrough({ key, least, isMetBy, read }: Through): void {
    if (!isMetBy(read!)) return;
    const value = read!.rows.get(key)?.v ?? null;
    const version = this.#versions.get(key)!.lastIndexOf(value as number | null);
    assert.ok(version >= least, `row ${key} was read as version ${version}, applied was ${least}`);
  }

  #settleReadings(): void {
    const lsn = this.#log[this.#applied - 1]?.lsn ?? 0;
    for (const reading of [...this.#readings]) {
      if (!reading.arrived || reading.read!.seen.flushed > lsn) continue;
      this.cache.settle(reading.keys);
      this.cache.abandon(reading.keys);
      this.#readings.splice(this.#readings.indexOf(reading), 1);
    }
  }

  #snapshot(): RowsRead {
    const hidden = this.#log.filter(({ visible }) => !visible).map(({ xid }) => xid);
    // PostgreSQL's: one after the last that is known to have ended; those from there on are not told apart.
    const xmax = 1 + Math.max(99, ...this.#log.filter(({ visible }) => visible).map(({ xid }) => xid));
    const running = [...this.#open, ...hidden].filter((xid) => xid < xmax).sort((a, b) => a - b);
    const found = new Map<Key, Row | null>(Array.from({ length: KEYS }, (_, key) => [key, null]));
    for (const { changes, visible } of this.#log) {
      if (!visible) continue;
      for (const { op, before, after } of changes) {
        if (op === 'truncate') for (const key of found.keys()) found.set(key, null);
        else found.set(((after ?? before) as Row).id as number, after);
      }
    }
    const end = 990 + 10 * this.#log.length;
    const flushed = this.#asynchronous ? Math.max(0, end - 20) : end;
    const snapshot = { xmin: running[0] ?? xmax, xmax, running };
    return { seen: { snapshot, flushed, end }, rows: found };
  }

  #write(key: number, value: boolean): Change[] {
    const known = this.#rows.has(key);
    if (!value && !known) return [];
    if (!value) {
      this.#rows.delete(key);
      this.#versions.get(key)!.push(null);
      return [{ op: 'delete', table: TABLE, before: { id: key }, after: null }];
    }
    const v = ++this.#value;
    this.#rows.set(key, v);
    this.#versions.get(key)!.push(v);
    return [{ op: known ? 'update' : 'insert', table: TABLE, before: null, after: { id: key, v } } as Change];
  }

  #truncate(): Change[] {
    for (const key of this.#rows.keys()) this.#versions.get(key)!.push(null);
    this.#rows.clear();
    return [{ op: 'truncate', table: TABLE, before: null, after: null }];
  }

  /** How many times the key's row was changed by the first transactions of the log. */
  #versionAt(key: Key, transactions: number): number {
    let version = 0;
    let there = false;
    for (const { changes } of this.#log.slice(0, transactions)) {
      for (const { op, before, after } of changes) {
        const own = op === 'truncate' ? there : (after ?? before)?.id === key;
        if (own) version++;
        if (own) there = after !== null;
      }
    }
    return version;
  }
}

const key = fc.nat(KEYS - 1);
const step = fc.oneof(
  fc.record({ kind: fc.constant('begin' as const) }),
  fc.record({
    kind: fc.constant('commit' as const),
    writes: fc.uniqueArray(fc.record({ key, value: fc.boolean() }), { selector: (write) => write.key, maxLength: 3 }),
    truncate: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    which: fc.nat(9),
  }),
  fc.record({ kind: fc.constantFrom('show' as const, 'read' as const, 'arrive' as const), which: fc.nat(9) }),
  fc.record({ kind: fc.constant('arrive' as const), which: fc.nat(9) }),
  fc.record({ kind: fc.constant('apply' as const) }),
  fc.record({ kind: fc.constant('ask' as const), keys: fc.uniqueArray(key, { minLength: 1 }) }),
  fc.record({ kind: fc.constantFrom('keep' as const, 'askThrough' as const), key }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(30) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function take(world: World, step: Step): void {
  if (step.kind === 'begin') world.begin();
  else if (step.kind === 'commit') world.commit(step.writes, step.truncate, step.which);
  else if (step.kind === 'apply') world.apply();
  else if (step.kind === 'ask') world.ask(step.keys);
  else if (step.kind === 'askThrough') world.askThrough(step.key);
  else if (step.kind === 'keep') world.keep(step.key);
  else if (step.kind === 'wait') world.now += step.ms;
  else world[(step as { kind: 'show' | 'read' | 'arrive' }).kind]((step as { which: number }).which);
}

function property(lease: Lease, told = true) {
  const options = fc.record({
    maxBytes: fc.constantFrom(200, 400, 10_000),
    asynchronous: fc.boolean(),
    maxTouches: fc.constantFrom(1, 3, 1000),
  });
  return fc.property(options, fc.array(step, { maxLength: 120, size: 'max' }), (settings, steps) => {
    const world = new World({ ...settings, lease, told });
    for (const each of steps) {
      take(world, each);
      world.check();
    }
  });
}

test('[SPEC 3] [rule 11] what is held is the row at the position, however readings, commits and the log interleave', () => {
  fc.assert(property(byVisibility), { numRuns: 4000 });
});

test('[rule 11] the same finds the fault of a cache that does not know what committed before it', () => {
  assert.ok(fc.check(property(byVisibility, false), { numRuns: 4000 }).failed);
});

for (const [name, lease] of Object.entries(BROKEN_LEASES)) {
  test(`[rule 11] the same finds the fault of a lease that is ${name}`, () => {
    assert.ok(fc.check(property(lease), { numRuns: 4000 }).failed);
  });
}
