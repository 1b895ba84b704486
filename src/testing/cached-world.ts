import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Change } from '../changes/change.ts';
import type { Row } from '../record/value.ts';
import type { Key, RowsRead } from '../views/lazy.ts';
import { byVisibility } from '../views/row-cache/lease.ts';
import { rows } from '../views/row-cache/queries.ts';
import type { Fill } from '../views/stored.ts';
import { bucketOf } from '../views/stores/valkey/key-buckets.ts';
import { StoredRowCache } from '../views/stores/valkey/row-cache.ts';
import { low32, WORLD_TABLE, World, type WorldCommit, worldSteps } from './lazy-world.ts';
import { ScriptBucket, type scriptClient } from './script-bucket.ts';

const BUCKET = 3;
/** Keys of one bucket. */
export const WORLD_KEYS = Array.from({ length: 1000 }, (_, key) => key)
  .filter((key) => bucketOf(key, 16) === BUCKET)
  .slice(0, 4);

/** What is wrong with a script, for a test that has to see it. */
export interface Fault {
  readonly name: string;
  readonly replace?: string;
  readonly by?: string;
  /** Ends of transactions in the log are compared in place of what snapshots see. */
  readonly byPosition?: boolean;
  /** Where it shows. */
  readonly options?: Partial<Options>;
}

export const worldOptions = fc.record({
  maxBytes: fc.constantFrom(300, 700, 100_000),
  asynchronous: fc.boolean(),
  founded: fc.boolean(),
  ttlMs: fc.constantFrom(50, Number.POSITIVE_INFINITY),
  absentTtlMs: fc.constantFrom(20, Number.POSITIVE_INFINITY),
  maxTouched: fc.constantFrom(1, 3, 4096),
  /** Transaction ids go round. */
  firstXid: fc.constantFrom(100, 2 ** 32 - 20),
});
type Options = typeof worldOptions extends fc.Arbitrary<infer T> ? T : never;

const which = fc.nat(9);
const keys = fc.uniqueArray(fc.constantFrom(...WORLD_KEYS), { minLength: 1 });
export const worldStep = fc.oneof(
  ...worldSteps(WORLD_KEYS.length),
  fc.record({ kind: fc.constantFrom('read' as const, 'arrive' as const, 'keep' as const), which }),
  fc.record({ kind: fc.constantFrom('read' as const, 'arrive' as const, 'show' as const), which }),
  fc.record({ kind: fc.constant('arrive' as const), which }),
  fc.record({ kind: fc.constantFrom('apply' as const, 'expire' as const) }),
  fc.record({ kind: fc.constant('apply' as const) }),
  fc.record({ kind: fc.constantFrom('ask' as const, 'use' as const), keys }),
  fc.record({ kind: fc.constant('ask' as const), keys }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(30) }),
);
export type WorldStep = typeof worldStep extends fc.Arbitrary<infer T> ? T : never;

/** A reading of some node's: asked for, then run, then offered to the bucket. */
interface Reading {
  readonly keys: readonly Key[];
  readonly since: number;
  read: RowsRead | null;
}

/** One bucket of a cache on a real server that follows a `World`, and nodes that fill it: one step at a time. */
export class CachedWorld {
  readonly counts = { taken: 0, refused: 0, belowFloor: 0, held: 0 };
  readonly #world: World;
  readonly #kind: StoredRowCache;
  readonly #bucket: ScriptBucket;
  readonly #options: Options;
  readonly #byPosition: boolean;
  readonly #readings: Reading[] = [];
  readonly #seen = new Map<Key, number>();
  #applied = 0;
  #started = false;
  #now = 0;

  constructor(options: Options & { client: Awaited<ReturnType<typeof scriptClient>>; fault?: Fault }) {
    const { asynchronous, firstXid, ttlMs, absentTtlMs, maxBytes, maxTouched, client, fault } = options;
    this.#options = options;
    this.#byPosition = fault?.byPosition ?? false;
    this.#world = new World({ keys: WORLD_KEYS, asynchronous, firstXid });
    const limits = {
      ttlMs,
      absentTtlMs: Math.min(ttlMs, absentTtlMs),
      maxBytes: maxBytes * 16,
      eviction: 'lru' as const,
    };
    const names = { table: WORLD_TABLE.name, id: 'id', idType: 'integer', columns: ['id', 'v'] };
    const shape = { ...names, ...limits, lease: byVisibility, clock: () => this.#now };
    this.#kind = new StoredRowCache({ shape, now: () => this.#now, maxTouched });
    this.#bucket = new ScriptBucket(client, withFault(this.#kind.script, fault));
  }

  async take(step: WorldStep): Promise<void> {
    if (step.kind === 'begin') this.#world.begin();
    else if (step.kind === 'commit') this.#world.commit(step.writes, step.truncate, step.which);
    else if (step.kind === 'show') this.#world.show(step.which);
    else if (step.kind === 'wait') this.#now += step.ms;
    else if (step.kind === 'read') this.#read(step.which);
    else await this.#takeInBucket(step);
  }

  async #takeInBucket(step: WorldStep): Promise<void> {
    await this.#start();
    if (step.kind === 'apply') await this.#apply();
    if (step.kind === 'arrive') await this.#arrive(step.which);
    if (step.kind === 'keep') await this.#keep(step.which);
    if (step.kind === 'expire') await this.#bucket.apply(this.#kind.expire(this.#now * 1000));
    if (step.kind === 'use') await this.#bucket.amend(this.#kind.use(step.keys).map(({ operation }) => operation));
    if (step.kind === 'ask') await this.#ask(step.keys);
    else await this.#check();
  }

  get #position(): number {
    return this.#applied === 0 ? 0 : this.#world.log[this.#applied - 1]!.lsn;
  }

  /** From a snapshot of the log: what is in it is in the bucket, visible to others or not. */
  async #start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    this.#applied = this.#world.log.length;
    await this.#bucket.apply([], this.#position);
    if (!this.#options.founded) return;
    const [offer] = this.#kind.fill([WORLD_KEYS[0]!], this.#asSeen(this.#world.read()), 0);
    await this.#found(offer!, (await this.#bucket.amend([offer!.operation]))[0]);
  }

  async #found(offer: Fill, reply: unknown): Promise<void> {
    const xid = this.#byPosition ? this.#position : this.#world.xid();
    await this.#bucket.amend([this.#kind.found(offer, reply, xid).operation]);
  }

  async #apply(): Promise<void> {
    const next = this.#world.log[this.#applied];
    if (!next) return;
    const operations = [...this.#kind.changes(next.changes, { xid: this.#xid(next) })];
    const own = operations.filter(({ bucket }) => bucket === BUCKET);
    await this.#bucket.apply(
      own.map(({ operation }) => operation),
      next.lsn,
    );
    this.#applied++;
  }

  async #ask(keys: readonly Key[]): Promise<void> {
    const query = rows(keys);
    const missing = this.#kind.missing(query, await this.#bucket.read(this.#kind.read(query)));
    if (missing.length > 0) this.#readings.push({ keys: missing, since: this.#position, read: null });
  }

  #read(which: number): void {
    const waiting = this.#readings.filter(({ read }) => !read);
    if (waiting.length > 0) waiting[which % waiting.length]!.read = this.#world.read();
  }

  /** What was read is offered, once the bucket has come up to it. */
  async #arrive(which: number): Promise<void> {
    const sent = this.#readings.filter(({ read }) => read && read.seen.flushed <= this.#position);
    const reading = sent[which % Math.max(1, sent.length)];
    if (!reading) return;
    this.#readings.splice(this.#readings.indexOf(reading), 1);
    const [offer] = this.#kind.fill(reading.keys, this.#asSeen(reading.read!), reading.since);
    const [reply] = await this.#bucket.amend([offer!.operation]);
    const refused = offer!.refused(reply);
    if (refused === 'unfounded') await this.#found(offer!, reply);
    if (refused === 'floor') this.counts.belowFloor++;
    const again = typeof refused === 'string' ? reading.keys : refused;
    this.counts.refused += again.length;
    this.counts.taken += reading.keys.length - again.length;
    if (again.length > 0) this.#readings.push({ keys: again, since: this.#position, read: null });
  }

  /** What is kept is the row at the position: older than what a reading saw of an asynchronous commit. */
  async #keep(which: number): Promise<void> {
    if (this.#world.asynchronous) return;
    const commit = this.#world.log.slice(0, this.#applied).at(-1 - (which % 4));
    const changed = (commit?.changes ?? []).filter(({ op }) => op !== 'truncate').map((change) => rowAfter(change));
    const offers = this.#kind.keep(changed.map((each) => ({ ...each, xid: this.#xid(commit!) })));
    for (const { operation } of offers) await this.#bucket.amend([operation]);
  }

  async #check(): Promise<void> {
    const [texts] = (await this.#bucket.read(this.#kind.read(rows(WORLD_KEYS)))) as [(string | null)[]];
    for (const [i, text] of texts.entries()) {
      if (text === null) this.#seen.delete(WORLD_KEYS[i]!);
      else this.#checkRow(WORLD_KEYS[i]!, text === 'null' ? null : (JSON.parse(text) as { v: number }).v);
    }
  }

  #checkRow(key: Key, value: number | null): void {
    this.counts.held++;
    this.#world.check(key, value, this.#applied);
    const versions = this.#world.versions(key);
    const seen = this.#seen.get(key) ?? 0;
    // A row that was let go of may come back as another node read it before, with fewer of the asynchronous commits in it.
    if (this.#staysHeld) assert.ok(versions.lastIndexOf(value) >= seen, `row ${key} went back`);
    // The earliest it can be: rows that are not there look alike.
    const earliest = versions.indexOf(value, this.#world.versionAt(key, this.#applied));
    this.#seen.set(key, Math.max(earliest, seen));
  }

  get #staysHeld(): boolean {
    const { maxBytes, ttlMs, absentTtlMs } = this.#options;
    return maxBytes === 100_000 && !Number.isFinite(ttlMs) && !Number.isFinite(absentTtlMs);
  }

  #xid(commit: WorldCommit): number {
    return this.#byPosition ? commit.lsn : low32(commit.xid);
  }

  #asSeen(read: RowsRead): RowsRead {
    if (!this.#byPosition) return read;
    const after = read.seen.flushed + 1;
    return { ...read, seen: { ...read.seen, snapshot: { xmin: after, xmax: after, running: [] } } };
  }
}

function rowAfter({ before, after }: Change): { key: Key; row: Row | null } {
  return { key: (after ?? before)!.id as Key, row: after };
}

function withFault(script: string, fault: Fault | undefined): string {
  if (fault?.replace === undefined) return script;
  assert.ok(script.includes(fault.replace), `the script has: ${fault.replace}`);
  return script.replace(fault.replace, fault.by!);
}
