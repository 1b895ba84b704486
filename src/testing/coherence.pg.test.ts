import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Hero } from '../../services/heroes/hero.ts';
import heroes from '../../services/heroes/service.ts';
import { HeroesClient, hero } from '../../services/heroes/test-client.ts';
import { CACHE } from '../../services/heroes/views.ts';
import { formatPosition } from '../changes/position.ts';
import type { ServedView } from '../live/served-view.ts';
import { startEmbedded } from '../record/embedded.ts';
import type { ServiceDefinition } from '../runtime/service.ts';
import type { Lease } from '../views/lazy.ts';
import { byVisibility } from '../views/row-cache/lease.ts';
import { rows } from '../views/row-cache/queries.ts';
import { rowCache } from '../views/row-cache/row-cache.ts';
import { BROKEN_LEASES } from './broken-leases.ts';
import { type Event, type Violation, violations } from './coherence.ts';
import { silentLog } from './database.ts';
import { type TestApp, testServices } from './services.ts';

/** Rows that the API writes, that SQL writes, and the one whose commits are in the log long before SQL sees them. */
const BY_API = [1, 2, 3];
const BY_SQL = [4, 5, 6];
const IN_GAP = 7;
const TTL_MS = 40;

/** Heroes with a cache of about four rows that live briefly, and whose readings are slow and return in any order. */
function heroesWith(lease: Lease): ServiceDefinition {
  const limits = { ttlMs: TTL_MS, absentTtlMs: TTL_MS, maxBytes: 2000 };
  const view = rowCache<Hero>({ ...CACHE, ...limits }, { lease });
  // The place in the log is looked at first: for the lease by position, the reading is as old as it says.
  const slow = `(select pg_current_wal_flush_lsn() - '0/0' as flushed, pg_sleep(0.015 * random()) offset 0) as one`;
  const sql = view
    .lazy!.sql.replace('(values (1)) as one', slow)
    .replace(`(pg_catalog.pg_current_wal_flush_lsn() - '0/0')::text`, 'one.flushed::text');
  assert.notEqual(sql, view.lazy!.sql);
  return { ...heroes, views: { heroes: { ...view, lazy: { ...view.lazy!, sql } } } } as unknown as ServiceDefinition;
}

/**
 * Commits of sessions that set `synchronous_commit` to `on` wait for a standby that never comes: they are in the log, and SQL
 * does not see them, until the wait is cancelled. With a real standby that takes as long as the network does.
 */
async function gapServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'lockstep-gap-'));
  const settings = { synchronous_standby_names: 'ghost', synchronous_commit: 'local' };
  const postgres = await startEmbedded({ dataDir, log: silentLog, settings });
  const stop = async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { url: postgres.url, stop };
}

async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return client;
}

type Read = Required<Pick<Event, 'version' | 'source' | 'position'>>;

/** Concurrent parties, and what each of them saw. */
class History {
  readonly events: Event[] = [];
  readonly #app: TestApp;
  readonly #view: ServedView;
  readonly #client: HeroesClient;
  over = false;

  constructor(app: TestApp) {
    this.#app = app;
    this.#view = app.views.find(({ name }) => name === 'heroes/heroes')!;
    this.#client = new HeroesClient(app);
  }

  found(): Violation[] {
    return violations(this.events);
  }

  /** Reads through the API, or from the view itself. */
  async read(who: string, id: number, options: { cached: boolean; http?: boolean; min?: string }): Promise<number> {
    const { cached, http = false, min } = options;
    const read = http ? await this.#readByHttp(id, cached, min) : await this.#readHere(id, cached);
    this.events.push({ who, kind: 'read', id, cached, ...read });
    return read.version;
  }

  async #readByHttp(id: number, cached: boolean, min?: string): Promise<Read> {
    const headers: Record<string, string> = min ? { 'lockstep-min-position': min } : {};
    const answer = await this.#client.call('GET', `?ids=${id}&cache=${cached}`, undefined, headers);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const header = (name: string) => answer.headers.get(`lockstep-${name}`)!;
    return { version: answer.body[0].xp, source: header('source'), position: header('position') };
  }

  async #readHere(id: number, cached: boolean): Promise<Read> {
    const { results, source, position } = await this.#view.read(
      [rows([id])] as const,
      cached ? {} : { from: 'record' },
    );
    return { version: JSON.parse(results[0][0]!).xp, source, position: formatPosition(position) };
  }

  async writeByApi(who: string, id: number): Promise<void> {
    for (let version = 1; !this.over; version++) {
      const { status } = await this.#client.call('PATCH', `/${id}?cache=${version % 2 === 0}`, { xp: version });
      assert.equal(status, 200);
      this.events.push({ who, kind: 'write', id, version });
      await this.read(who, id, { cached: true, http: true });
    }
  }

  /** Whoever writes with SQL asks the record where it is, and reads from there on. */
  async writeBySql(who: string, url: string): Promise<void> {
    const client = await connectTo(url);
    while (!this.over) {
      const id = BY_SQL[Math.floor(Math.random() * BY_SQL.length)]!;
      const update = 'update heroes.heroes set xp = xp + 1 where id = $1 returning xp';
      const { rows: written } = await client.query(update, [id]);
      const { rows: log } = await client.query(`select (pg_current_wal_flush_lsn() - '0/0')::text as lsn`);
      this.events.push({ who, kind: 'write', id, version: written[0].xp });
      const min = `${this.#app.live.watermark.epoch}-${Number(log[0].lsn).toString(36)}`;
      await this.read(who, id, { cached: true, http: true, min });
    }
    await client.end();
  }

  async readMuch(who: string, http: boolean): Promise<void> {
    while (!this.over) {
      const id = 1 + Math.floor(Math.random() * 6);
      await this.read(who, id, { cached: Math.random() < 0.8, http });
    }
  }

  /**
   * A commit that is in the log, and applied, but not visible: it is seen from the cache, which then lets go of it. Whoever
   * reads it again must not be given what the record shows at that moment. True when it came to that.
   */
  async readInGap(writer: pg.Client, admin: pg.Client): Promise<boolean> {
    const who = 'in the gap';
    const { rows: self } = await writer.query('select pg_backend_pid() as pid');
    const pid: number = self[0].pid;
    const { rows: before } = await admin.query('select xp from heroes.heroes where id = $1', [IN_GAP]);
    await this.read(who, IN_GAP, { cached: true });
    const writing = writer.query('update heroes.heroes set xp = xp + 1 where id = $1', [IN_GAP]);
    await this.#applied(admin, pid);
    const held = this.#view.readNow([rows([IN_GAP])] as const);
    const version = held && JSON.parse(held.results[0][0]!).xp;
    if (held) this.events.push({ who, kind: 'read', id: IN_GAP, version, cached: true });
    while (this.#view.readNow([rows([IN_GAP])] as const)) await sleep(5); // until its time is over
    const reading = this.read(who, IN_GAP, { cached: true });
    await Promise.race([reading, sleep(40)]);
    await admin.query('select pg_cancel_backend($1)', [pid]);
    await Promise.all([writing, reading]);
    return version === before[0].xp + 1;
  }

  /** Waits until the commit waits for its standby and everything in the log is applied. */
  async #applied(admin: pg.Client, pid: number): Promise<void> {
    for (;;) {
      const { rows: waiting } = await admin.query(
        `select (pg_current_wal_flush_lsn() - '0/0')::text as lsn from pg_stat_activity
          where pid = $1 and wait_event = 'SyncRep'`,
        [pid],
      );
      const position = waiting[0] && { epoch: this.#app.live.watermark.epoch, lsn: Number(waiting[0].lsn) };
      if (position) return this.#app.live.reached(position);
      await sleep(1);
    }
  }
}

interface Run {
  readonly history: History;
  readonly app: TestApp;
  /** Commits that were seen from the cache while SQL did not see them. */
  readonly gaps: number;
}

/** Everybody at once, until `enough` (looked at after each commit in the gap) or so many of those were seen. */
async function runWith(t: TestContext, lease: Lease, enough: (history: History) => boolean): Promise<Run> {
  const { url, stop } = await gapServer();
  // Hooks run in the order of their making: the server ends after those who are connected to it.
  const app = await testServices(t, [heroesWith(lease)], { databaseUrl: url }).finally(() => t.after(stop));
  const client = new HeroesClient(app);
  await client.write(Array.from({ length: IN_GAP }, () => hero({ xp: 0 })));
  const history = new History(app);
  const writer = await connectTo(url);
  const admin = await connectTo(url);
  await writer.query('set synchronous_commit = on');
  const parties = [
    ...BY_API.map((id) => history.writeByApi(`API ${id}`, id)),
    ...[1, 2].map((n) => history.writeBySql(`SQL ${n}`, url)),
    ...[1, 2, 3].map((n) => history.readMuch(`reader ${n}`, n === 1)),
  ];
  let gaps = 0;
  try {
    for (let tries = 0; gaps < 20 && tries < 100 && !enough(history); tries++) {
      if (await history.readInGap(writer, admin)) gaps++;
    }
  } finally {
    history.over = true;
    await Promise.all([...parties, writer.end(), admin.end()]);
  }
  return { history, app, gaps };
}

test('[SPEC 4] [rule 11] no read is older than its reader wrote or saw before', async (t) => {
  const { history, app, gaps } = await runWith(t, byVisibility, () => false);
  const { cache } = app.views[0]!.status();
  t.diagnostic(`${history.events.length} events, ${gaps} in the gap, ${JSON.stringify(cache)}`);
  for (const { event } of history.found().slice(0, 3)) {
    const own = history.events.filter(({ who, id }) => who === event.who && id === event.id);
    t.diagnostic(
      own
        .slice(Math.max(0, own.indexOf(event) - 3), own.indexOf(event) + 1)
        .map((each) => JSON.stringify(each))
        .join('\n'),
    );
  }
  assert.deepEqual(history.found().slice(0, 5), []);
  assert.ok(gaps >= 5, `only ${gaps} commits were seen before SQL saw them`);
  for (const what of ['hits', 'misses', 'evictions', 'expirations', 'refusals'] as const)
    assert.ok(cache![what] > 0, `no ${what}`);
  const report = await app.views[0]!.verify();
  assert.deepEqual([report.examples, report.drift], [[], 0]);
});

for (const [name, lease] of Object.entries(BROKEN_LEASES)) {
  test(`[rule 11] the same sees the fault of a lease that is ${name}`, async (t) => {
    const { history } = await runWith(t, lease, (so) => so.found().some(({ event }) => event.id === IN_GAP));
    const found = history.found();
    t.diagnostic(`${found.length} of ${history.events.length} events; ${JSON.stringify(found[0])}`);
    assert.ok(found.length > 0);
  });
}
