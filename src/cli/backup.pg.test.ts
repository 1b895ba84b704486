import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, ServerProcess } from '../testing/server-process.ts';

const COMMAND = fileURLToPath(new URL('../../bin/lockstep.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'lockstep-cli-backup-'));
after(() => rmSync(root, { recursive: true, force: true }));

async function lockstep(dataDir: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, DATABASE_URL: '', LOCKSTEP_DATA: dataDir, LOCKSTEP_ONLY: 'leaderboard,taxi' };
  return (await promisify(execFile)(process.execPath, [COMMAND, '--json', ...args], { env, cwd: root })).stdout;
}

async function start(dataDir: string): Promise<ServerProcess> {
  const env = { LOG_LEVEL: 'warn', LOCKSTEP_ONLY: 'leaderboard,taxi', LOCKSTEP_RATE_LIMIT: '0' };
  const server = new ServerProcess({ dataDir, port: await freePort(), env });
  server.start();
  await server.ready();
  return server;
}

async function book(server: ServerProcess, rider: number): Promise<{ trip: string; position: string }> {
  const call = async (path: string) => {
    const answer = await fetch(`${server.url}/taxi/${path}`);
    assert.equal(answer.status, 200, `${path}: ${server.output}`);
    const body = (await answer.json()) as Record<string, string>;
    return { body, position: answer.headers.get('lockstep-position')! };
  };
  const { body } = await call(`riderbook?rider_id=${rider}&rider_mobile=%2B12125550100`);
  const query = `rider_id=${rider}&trip_info=${body.tripinfo}`;
  await call(`driveraccept?${query}`);
  const { position } = await call(`drivercomplete?${query}`);
  return { trip: `${body.riderid} ${body.tripinfo}`, position };
}

const source = join(root, 'source');
const target = join(root, 'target');
/** Acknowledged before the backup began. */
const trips: string[] = [];
let file: string;
/** Of a write after it. */
let late: string;

test('[SPEC 1] a backup is made while the server serves', async () => {
  const server = await start(source);
  try {
    for (let i = 1; i <= 20; i++) trips.push((await book(server, 1 + (i % 5) * 1000)).trip);
    const over = new AbortController();
    const load = (async () => {
      while (!over.signal.aborted) late = (await book(server, 1)).position;
    })();
    ({ file } = JSON.parse(await lockstep(source, 'backup', root)) as { file: string });
    late = (await book(server, 1001)).position;
    over.abort();
    await load;
  } finally {
    await server.stop();
  }
  assert.ok(readdirSync(root).some((name) => /^lockstep-\d{4}-\d\d-\d\dT[\d-]+\.tar\.zst$/.test(name)));
  await assert.rejects(lockstep(source, 'restore', file), /is not empty/);
});

test('[SPEC 6] [rule 1] restored and verified: nothing acknowledged is missing, and old positions are known as old', async () => {
  await lockstep(target, 'restore', file);
  const restored = await start(target);
  try {
    const reports = JSON.parse(await lockstep(target, 'verify')) as { drift: number }[];
    assert.deepEqual(
      reports.map(({ drift }) => drift),
      reports.map(() => 0),
    );
    const { found, ghosts } = await projected(restored);
    assert.deepEqual(
      trips.filter((trip) => !found.has(trip)),
      [],
    );
    assert.equal(ghosts, 0, 'the projection is in line with the record');
    const read = (position: string) =>
      fetch(`${restored.url}/leaderboard/scores/2026-11-21`, { headers: { 'lockstep-min-position': position } });
    const old = await read(late!);
    assert.equal(old.status, 409);
    assert.match(
      ((await old.json()) as { message: string }).message,
      /another epoch of the record .*Read again without it/,
    );
    const { position } = await book(restored, 1);
    assert.equal((await read(position)).status, 200);
  } finally {
    await restored.stop();
  }
});

test('a backup is made with no server running, and checked without being restored', async () => {
  const { file: cold } = JSON.parse(await lockstep(target, 'backup', 'cold.tar.zst')) as { file: string };
  await lockstep(target, 'restore', '--check', cold);
});

/** The projected trips, when they are as many as the record's. */
async function projected(server: ServerProcess): Promise<{ found: Set<string>; ghosts: number }> {
  const { openRecord } = await import('../record/open.ts');
  const { silent } = await import('../record/log.ts');
  const record = await openRecord({ url: server.databaseUrl!, log: silent, poolSize: 1 });
  try {
    for (const deadline = Date.now() + 30_000; ; ) {
      const [state] = await record.query<{ ghosts: number; missing: number }>(STATE);
      if (state!.missing > 0 && Date.now() < deadline) continue;
      const rows = await record.query<{ trip: string }>(
        `select rider_email || ' ' || trip_info as trip from rides.trips`,
      );
      return { found: new Set(rows.map(({ trip }) => trip)), ghosts: state!.ghosts };
    }
  } finally {
    await record.close();
  }
}

const STATE = `
  with items as (select riderid, tripinfo from taxi.trip_items where attributes ->> 'STATUS' = 'Completed')
  select (select count(*)::integer from rides.trips t where not exists (
      select from items i where i.riderid = t.rider_email and i.tripinfo = t.trip_info)) as ghosts,
    (select count(*)::integer from items i where not exists (
      select from rides.trips t where i.riderid = t.rider_email and i.tripinfo = t.trip_info)) as missing`;

const notRoot = { skip: process.getuid!() !== 0 && 'only root can change to another user' };

test('root restores where it may not pass folders as another user', notRoot, async () => {
  chmodSync(root, 0o755);
  const dataDir = join(root, 'plain');
  const env = { ...process.env, DATABASE_URL: '', LOCKSTEP_DATA: dataDir };
  const plain = ['--bounding-set=-dac_read_search', '--inh-caps=-all', process.execPath, COMMAND];
  await promisify(execFile)('setpriv', [...plain, 'restore', file], { env, cwd: root });
  assert.deepEqual(readdirSync(dataDir), ['postgres']);
});

test('a backup needs a database, and is of the embedded one', async () => {
  await assert.rejects(lockstep(join(root, 'none'), 'backup'), /no embedded database in .*none to back up/);
  const env = { ...process.env, DATABASE_URL: 'postgres://h/d' };
  const run = promisify(execFile)(process.execPath, [COMMAND, 'backup'], { env, cwd: root });
  await assert.rejects(run, (error: { code: number; stderr: string }) => {
    assert.equal(error.code, 2);
    assert.match(error.stderr, /PostgreSQL of your own: back it up with its own tools/);
    return true;
  });
});
