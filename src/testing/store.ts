import { randomUUID } from 'node:crypto';
import { after } from 'node:test';
import { startValkey, startValkeyCluster } from './valkey.ts';

/** Where tests of services have their views: LOCKSTEP_TEST_STORE is `memory` (unless told), `valkey` or `cluster`. */
const KIND = process.env.LOCKSTEP_TEST_STORE ?? 'memory';

interface TestStore {
  readonly url: string;
  flush(): Promise<void>;
  stop(): Promise<void>;
}

const byDatabase = new Map<string, Promise<TestStore>>();
const free: TestStore[] = [];

/** The store of the app on a database, the same after a restart; undefined where views live in the process. */
export async function testStoreUrl(databaseUrl: string): Promise<string | undefined> {
  if (KIND === 'memory') return undefined;
  const known = byDatabase.get(databaseUrl) ?? acquire();
  byDatabase.set(databaseUrl, known);
  return (await known).url;
}

/** For servers that a test file starts as processes of their own: one store, theirs until the file ends. */
export async function testStoreEnv(): Promise<{ readonly VALKEY_URL?: string }> {
  const url = await testStoreUrl(randomUUID());
  return url === undefined ? {} : { VALKEY_URL: url };
}

/** The database's test is over: another one may have its store. */
export async function releaseStore(databaseUrl: string): Promise<void> {
  const store = await byDatabase.get(databaseUrl);
  if (store && byDatabase.delete(databaseUrl)) free.push(store);
}

async function acquire(): Promise<TestStore> {
  const store = free.pop() ?? (await start());
  await store.flush();
  return store;
}

async function start(): Promise<TestStore> {
  if (KIND === 'valkey') {
    const server = await startValkey();
    return { url: server.url, flush: async () => void (await server.command('FLUSHALL')), stop: () => server.stop() };
  }
  if (KIND !== 'cluster') throw new Error(`LOCKSTEP_TEST_STORE is ${KIND}; expected memory, valkey or cluster`);
  const cluster = await startValkeyCluster();
  const flush = async () => void (await Promise.all(cluster.nodes.map((node) => node.command('FLUSHALL'))));
  return { url: cluster.url, flush, stop: () => cluster.stop() };
}

after(async () => {
  const used = await Promise.all(byDatabase.values());
  await Promise.all([...used, ...free].map((store) => store.stop()));
});
