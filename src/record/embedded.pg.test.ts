import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type EmbeddedOptions, startEmbedded } from './embedded.ts';
import { RecordUnavailable, RecordUnknownOutcome } from './failures.ts';
import { silent } from './log.ts';
import { openRecord } from './open.ts';

const CHILD = fileURLToPath(new URL('../testing/lockstep-like.ts', import.meta.url));

/** What is killed here are processes, not the machine. */
const QUICK = { log: silent, settings: { fsync: 'off' } };

function temporary(t: TestContext, prefix = 'lockstep-embedded-'): string {
  const directory = mkdtempSync(join(tmpdir(), prefix));
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

async function started(t: TestContext, dataDir: string, options: Partial<EmbeddedOptions> = {}) {
  const postgres = await startEmbedded({ dataDir, ...QUICK, ...options });
  t.after(() => postgres.stop());
  return postgres;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !condition(); await sleep(10)) {
    assert.ok(Date.now() < deadline, `waited in vain: ${what}`);
  }
}

const isGone = (pid: number) => !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/cmdline`, 'utf8') === '';
const postmasterOf = (dataDir: string) =>
  Number.parseInt(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8'), 10);

/** A child process with an embedded server, and the lines it prints after the URL. */
async function child(t: TestContext, dataDir: string, ...args: string[]) {
  const process = spawn(globalThis.process.execPath, [CHILD, dataDir, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => process.kill('SIGKILL'));
  const lines: string[] = [];
  const input = createInterface({ input: process.stdout });
  input.on('line', (line) => lines.push(line));
  await until('the child is up', () => lines.length > 0 || process.exitCode !== null);
  return { process, lines };
}

async function killed(process: ChildProcess): Promise<void> {
  const exit = once(process, 'exit');
  process.kill('SIGKILL');
  await exit;
}

test('a new directory: settings, locale, password; a clean stop leaves nothing running, and the data stay', async (t) => {
  const dataDir = temporary(t);
  const first = await startEmbedded({ dataDir, log: silent });
  const record = await openRecord({ url: first.url, log: silent });
  const [row] = await record.query(`
    select current_setting('wal_level') as wal, current_setting('fsync') as fsync, current_setting('data_checksums') as sums,
           current_setting('listen_addresses') as listen, current_setting('server_encoding') as encoding, current_user as user,
           (select datlocprovider::text || datlocale from pg_database where datname = current_database()) as locale`);
  assert.deepEqual(row, {
    wal: 'logical',
    fsync: 'on',
    sums: 'on',
    listen: '',
    encoding: 'UTF8',
    user: 'lockstep',
    locale: 'bC.UTF-8',
  });
  await record.query('create table kept (n integer)');
  const wrong = openRecord({ url: first.url.replace(/:[^:@]+@/, ':wrong@'), log: silent });
  await assert.rejects(wrong, { code: '28P01' });
  assert.equal(statSync(join(dataDir, 'postgres/lockstep.password')).mode & 0o777, 0o600);
  await record.close();
  const { pid } = first;
  await first.stop();
  assert.ok(isGone(pid));
  assert.deepEqual(readdirSync(dataDir).sort(), ['postgres']);
  const again = await started(t, dataDir, { settings: {} });
  assert.equal(again.url, first.url);
  const reader = await openRecord({ url: again.url, log: silent });
  assert.deepEqual(await reader.query('select * from kept'), []);
  await reader.close();
});

test('a second start on the directory is one readable error that names the holder', async (t) => {
  const dataDir = temporary(t);
  const first = await started(t, dataDir);
  await assert.rejects(startEmbedded({ dataDir, ...QUICK }), (error: Error) => {
    assert.match(error.message, new RegExp(`in use by another Lockstep \\(process ${process.pid}\\).*LOCKSTEP_DATA`));
    return true;
  });
  const record = await openRecord({ url: first.url, log: silent });
  assert.equal((await record.query('select 1')).length, 1, 'the first is not disturbed');
  await record.close();
});

test('[SPEC 1] kill -9 of PostgreSQL under load: it is started again, the pool recovers, acknowledged writes are there', async (t) => {
  const exits: string[] = [];
  const postgres = await started(t, temporary(t), { onExit: (reason) => exits.push(reason) });
  const record = await openRecord({ url: postgres.url, log: silent });
  t.after(() => record.close());
  await record.query('create table kept (n integer primary key)');
  const write = record.coalesceWrites<number, number>({
    sql: 'insert into kept select n from unnest($1) with ordinality as u (n, o) order by o returning n',
    columns: ['integer'],
    encode: (n) => [n],
    decode: (row) => row.n as number,
  });
  const acknowledged: number[] = [];
  const attempted = new Set<number>();
  let next = 0;
  let running = true;
  const writer = async (insert: (n: number) => Promise<unknown>) => {
    while (running) {
      const n = ++next;
      attempted.add(n);
      try {
        await insert(n);
        acknowledged.push(n);
      } catch (error) {
        assert.ok(error instanceof RecordUnknownOutcome || error instanceof RecordUnavailable, String(error));
      }
    }
  };
  const inTransaction = (n: number) => record.transaction((tx) => tx.query('insert into kept values ($1)', [n]));
  const writers = [...Array(8)].map((_, i) => writer(i % 2 ? write : inTransaction));
  for (let kills = 0; kills < 3; kills++) {
    const before = acknowledged.length;
    await until('writes go on', () => acknowledged.length > before + 50);
    process.kill(postgres.pid, 'SIGKILL');
    await until('it is started again', () => exits.length === kills + 1 && postgres.pid !== 0);
  }
  const before = acknowledged.length;
  await until('writes go on', () => acknowledged.length > before + 50);
  running = false;
  await Promise.all(writers);
  const kept = new Set((await record.query<{ n: number }>('select n from kept')).map(({ n }) => n));
  assert.deepEqual(
    acknowledged.filter((n) => !kept.has(n)),
    [],
  );
  assert.deepEqual(
    [...kept].filter((n) => !attempted.has(n)),
    [],
  );
  assert.deepEqual(exits, ['signal SIGKILL', 'signal SIGKILL', 'signal SIGKILL']);
});

test('kill -9 of Lockstep: PostgreSQL ends with it, the next start works, acknowledged writes are there', async (t) => {
  const dataDir = temporary(t);
  const { process, lines } = await child(t, dataDir, 'rows');
  await until('rows are acknowledged', () => lines.length > 50);
  const postmaster = postmasterOf(dataDir);
  await killed(process);
  await until('PostgreSQL has ended', () => isGone(postmaster));
  await assertKept(t, dataDir, lines);
});

test('kill -9 of Lockstep and of PostgreSQL at once, with backends that outlive it', async (t) => {
  const dataDir = temporary(t);
  const { process, lines } = await child(t, dataDir, 'rows');
  await until('rows are acknowledged', () => lines.length > 50);
  globalThis.process.kill(postmasterOf(dataDir), 'SIGKILL');
  await killed(process);
  await assertKept(t, dataDir, lines);
});

test('a postmaster that does not end (stopped by a signal) is ended by the next start', async (t) => {
  const dataDir = temporary(t);
  const { process } = await child(t, dataDir);
  const postmaster = postmasterOf(dataDir);
  // Frozen, it cannot follow the death signal: only SIGKILL reaches it, or SIGCONT.
  globalThis.process.kill(postmaster, 'SIGSTOP');
  await killed(process);
  const again = startEmbedded({ dataDir, ...QUICK });
  globalThis.process.kill(postmaster, 'SIGCONT');
  const postgres = await again;
  assert.ok(isGone(postmaster));
  await postgres.stop();
});

async function assertKept(t: TestContext, dataDir: string, lines: readonly string[]): Promise<void> {
  const postgres = await started(t, dataDir);
  const record = await openRecord({ url: postgres.url, log: silent });
  const kept = new Set((await record.query<{ n: number }>('select n from kept')).map(({ n }) => String(n)));
  await record.close();
  assert.deepEqual(
    lines.slice(1).filter((n) => !kept.has(n)),
    [],
  );
}

test('PostgreSQL killed in the middle of its start is started again, but not for ever', async (t) => {
  const dataDir = temporary(t);
  await (await startEmbedded({ dataDir, ...QUICK })).stop();
  const killing = (times: number) => ({
    ...silent,
    debug({ postgres }: { postgres?: string }) {
      if (postgres?.includes('starting PostgreSQL') && times-- > 0) process.kill(postmasterOf(dataDir), 'SIGKILL');
    },
  });
  const postgres = await startEmbedded({ dataDir, ...QUICK, log: killing(2) });
  await postgres.stop();
  await assert.rejects(startEmbedded({ dataDir, ...QUICK, log: killing(10) }), /did not start: signal SIGKILL/);
});

test('initdb killed half-way: the next start begins anew and cleans up', async (t) => {
  const dataDir = temporary(t);
  const half = spawn(process.execPath, [CHILD, dataDir], { stdio: 'ignore' });
  const isHalfWay = () => readdirSync(dataDir).some((name) => existsSync(join(dataDir, name, 'postgres/PG_VERSION')));
  await until('initdb is at work', isHalfWay);
  await killed(half);
  assert.ok(!existsSync(join(dataDir, 'postgres')));
  await started(t, dataDir);
  assert.deepEqual(readdirSync(dataDir).sort(), ['postgres', 'socket']);
});

test('a stale postmaster.pid with the pid of another program is no obstacle', async (t) => {
  const dataDir = temporary(t);
  await (await startEmbedded({ dataDir, ...QUICK })).stop();
  // A program of the same user: PostgreSQL itself takes no other for a postmaster.
  const { uid, gid } = statSync(join(dataDir, 'postgres'));
  const other = spawn('sleep', ['60'], { uid, gid, stdio: 'ignore' });
  t.after(() => other.kill());
  const file = join(dataDir, 'postgres/postmaster.pid');
  writeFileSync(file, `${other.pid}\n${join(dataDir, 'postgres')}\n1\n5432\n/tmp\n\n`);
  await started(t, dataDir);
  assert.notEqual(postmasterOf(dataDir), other.pid);
  assert.equal(other.exitCode, null);
});

test('data of another version, and a folder that is no data, are refused with what to do', async (t) => {
  const dataDir = temporary(t);
  mkdirSync(join(dataDir, 'postgres'));
  await assert.rejects(startEmbedded({ dataDir, ...QUICK }), /no PostgreSQL data directory \(no PG_VERSION\)/);
  writeFileSync(join(dataDir, 'postgres/PG_VERSION'), '16\n');
  await assert.rejects(
    startEmbedded({ dataDir, ...QUICK }),
    /data of PostgreSQL 16, .* ships PostgreSQL 18.*pg_dumpall/,
  );
});

test('a server that cannot start says why', async (t) => {
  const settings = { fsync: 'off', shared_buffers: 'plenty' };
  await assert.rejects(startEmbedded({ dataDir: temporary(t), ...QUICK, settings }), /did not start: .*"plenty"/s);
});

test('a path too long for a socket: it is in a short directory, which goes away with the server', async (t) => {
  const dataDir = join(temporary(t), 'x'.repeat(100));
  const postgres = await startEmbedded({ dataDir, ...QUICK });
  const socket = decodeURIComponent(/host=(.*)$/.exec(postgres.url)![1]!);
  assert.match(socket, /\/lockstep-[0-9a-f]{16}$/);
  assert.equal(statSync(socket).mode & 0o777, 0o700);
  await postgres.stop();
  assert.ok(!existsSync(socket));
});
