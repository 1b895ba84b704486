import assert from 'node:assert/strict';
import type { Change } from '../changes/change.ts';
import { StoreFault } from '../views/stores/valkey/errors.ts';
import type { StoredGeneration } from '../views/stores/valkey/generation.ts';
import { openStore, type ValkeyStore } from '../views/stores/valkey/store.ts';
import type { StoredView } from '../views/stores/valkey/view.ts';
import { scriptOf } from '../views/stores/valkey/wire/script.ts';
import { ROWS_TABLE, storedRows } from './stored-rows.ts';
import type { TestValkey } from './valkey.ts';

// A store with the simplest view, and what a leader and its readers do with it, step by step.

export const EPOCH = 'e1';
export const NAME = 'test/rows';
export const DATABASE = 'd1';
/** A replica begins at once. */
export const AT_ONCE = ['--repl-diskless-sync-delay', '0'];

export interface Opened {
  readonly store: ValkeyStore;
  readonly view: StoredView;
  readonly failures: Error[];
}

interface OpenOptions {
  readonly definition?: ReturnType<typeof storedRows>;
  readonly replicas?: number;
}

/** Closed with the test. */
export async function opened(
  t: { after(work: () => Promise<void>): void },
  url: string,
  { definition = storedRows(), replicas = 0 }: OpenOptions = {},
): Promise<Opened> {
  const failures: Error[] = [];
  const log = { error: ({ err }: { err: Error }) => failures.push(err) };
  const store = await openStore({ url, database: DATABASE, replicas, log: log as never });
  t.after(() => store.close());
  return { store, view: store.add(NAME, definition as never), failures };
}

/** The key of a bucket of the view, or of a generation of it. */
export function bucketKey(bucket: number, generation?: number): string {
  return `lockstep:${DATABASE}:{${NAME}:${bucket}}${generation === undefined ? '' : `:${generation}`}`;
}

/** A served generation of these rows at 10, by a new leader. */
export async function built({ store, view }: Opened, ids: readonly number[], leader = 1): Promise<StoredGeneration> {
  await store.fence(leader);
  const generation = await view.create(leader, EPOCH);
  await generation.load(
    ROWS_TABLE.name,
    ids.map((id) => ({ id, a: id, b: 'built' })),
  );
  await generation.loaded(10, 0);
  await generation.serve();
  return generation;
}

export const put = (id: number, a: number): Change => ({
  op: 'insert',
  table: ROWS_TABLE,
  before: null,
  after: { id, a, b: null },
});
export const remove = (id: number): Change => ({ op: 'delete', table: ROWS_TABLE, before: { id }, after: null });

export function commit(generation: StoredGeneration, lsn: number, ...changes: Change[]): Promise<void> {
  generation.transaction({ xid: lsn, lsn, committedAt: 0, changes });
  return generation.flush(lsn);
}

/** The rows' column `a`; undefined where the store does not answer for the position. */
export async function read({ view }: Opened, lsn: number, ...ids: number[]) {
  const read = await view.read(
    ids.map((id) => ({ id }) as object),
    { epoch: EPOCH, lsn },
  );
  return read?.results.map((row) => (row as [number, string] | null)?.[0] ?? null);
}

export async function refused(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (error) => error,
  );
  assert.ok(error instanceof StoreFault, `${error}`);
  return error.reason;
}

/** The view with a rule of its scripts switched off. */
export function without({ view }: Opened, rule: RegExp): void {
  const { source } = view.scripts.step;
  assert.match(source, rule);
  Object.assign(view.scripts, { step: scriptOf(source.replace(rule, '')) });
}

export async function replicated(replica: TestValkey, { view }: Opened): Promise<void> {
  const key = bucketKey(view.kind.buckets - 1);
  await eventually(async () => (await replica.command('EXISTS', key).catch(() => 0)) || undefined);
}

export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await new Promise((done) => setTimeout(done, 5))) {
    const found = await Promise.resolve(look()).catch(() => undefined);
    if (found !== undefined) return found;
  }
  throw new Error('waited in vain');
}
