import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { readBackup } from './backup/read.ts';
import { restoreBackup } from './backup/restore.ts';
import { readTar, TAR_END, type TarEntry, tarFile } from './backup/tar.ts';
import { writeBackup } from './backup/write.ts';
import { type EmbeddedPostgres, startEmbedded } from './embedded.ts';
import { silent } from './log.ts';
import { openRecord } from './open.ts';
import type { PgRecord } from './record.ts';

const root = mkdtempSync(join(tmpdir(), 'lockstep-backup-'));
const file = join(root, 'backup.tar.zst');
let postgres: EmbeddedPostgres;
let record: PgRecord;

before(async () => {
  postgres = await startEmbedded({ dataDir: join(root, 'source'), log: silent });
  record = await openRecord({ url: postgres.url, log: silent });
  await record.query('create table kept (n integer primary key, filling text)');
  await record.query(`insert into kept select -n, repeat(md5(n::text), 20) from generate_series(1, 20000) n`);
});

after(async () => {
  await record.close();
  await postgres.stop();
  rmSync(root, { recursive: true, force: true });
});

/** Writes one row after another until told to stop; what is in the result was acknowledged. */
function writing() {
  const state = { acknowledged: 0, over: false };
  const writers = Array.from({ length: 4 }, async (_, i) => {
    for (let n = i + 1; !state.over; n += 4) {
      await record.query(`insert into kept values ($1, repeat('x', 500))`, [n]);
      state.acknowledged++;
    }
  });
  const stop = () => {
    state.over = true;
    return Promise.all(writers);
  };
  return { state, stop };
}

test('[SPEC 1] a backup taken under load holds every row that was acknowledged before it, and restores consistently', async () => {
  const { state, stop } = writing();
  while (state.acknowledged < 200) await new Promise(setImmediate);
  const before = await record.query<{ n: number }>('select n from kept');
  const told: number[] = [];
  const report = await writeBackup({ url: postgres.url, file, progress: (done) => told.push(done) });
  const during = state.acknowledged;
  await stop();
  assert.ok(during > before.length - 20_000, 'rows were written meanwhile');
  assert.ok(report.files > 500 && report.bytes === statSync(file).size && told.length > 1);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(await readBackup({ file }), {
    files: report.files,
    startLsn: report.startLsn,
    endLsn: report.endLsn,
  });
  assert.deepEqual(await record.query(`select from pg_replication_slots`), [], 'its slot is gone');

  const dataDir = join(root, 'restored');
  const { restoreId } = await restoreBackup({ file, dataDir, log: silent });
  assert.deepEqual(readdirSync(dataDir), ['postgres'], 'nothing else is left');
  const restored = await startEmbedded({ dataDir, log: silent });
  const copy = await openRecord({ url: restored.url, log: silent });
  try {
    const found = new Set((await copy.query<{ n: number }>('select n from kept')).map(({ n }) => n));
    assert.deepEqual(
      before.filter(({ n }) => !found.has(n)),
      [],
    );
    assert.deepEqual(await copy.query('select restore_id from lockstep.epoch'), [{ restore_id: restoreId }]);
    await copy.query('insert into kept values (1000000)');
  } finally {
    await copy.close();
    await restored.stop();
  }
});

test('a restore replaces nothing, and a backup neither', async () => {
  await assert.rejects(writeBackup({ url: postgres.url, file }), /there already/);
  await assert.rejects(
    restoreBackup({ file, dataDir: join(root, 'restored'), log: silent }),
    /is not empty \(there is postgres\)/,
  );
  const dataDir = mkdtempSync(join(root, 'foreign-'));
  writeFileSync(join(dataDir, 'notes.txt'), '');
  await assert.rejects(restoreBackup({ file, dataDir, log: silent }), /is not empty \(there is notes.txt\)/);
  assert.deepEqual(readdirSync(dataDir), ['notes.txt']);
});

test('a directory in use is not restored into', async () => {
  await assert.rejects(
    restoreBackup({ file, dataDir: join(root, 'source'), log: silent }),
    /in use by another Lockstep/,
  );
});

/** Its files, by path. */
async function unpacked(): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  let entry: TarEntry | undefined;
  let content: Buffer[] = [];
  const chunks = (async function* () {
    yield zstdDecompressSync(await readFile(file));
  })();
  await readTar(chunks, {
    begin: (next) => {
      entry = next;
      content = [];
    },
    data: (bytes) => void content.push(bytes),
    end: () => {
      if (entry!.kind === 'file') files.set(entry!.path, Buffer.concat(content));
    },
  });
  return files;
}

/** The archive with one file made different by `change`; undefined leaves it out. */
function altered(
  files: ReadonlyMap<string, Buffer>,
  path: string,
  change: (content: Buffer) => Buffer | undefined,
): Buffer {
  const kept = [...files].flatMap(([name, content]) => {
    const now = name === path ? change(content) : content;
    return now ? tarFile(name, now) : [];
  });
  return zstdCompressSync(Buffer.concat([...kept, TAR_END]), { params: { [constants.ZSTD_c_compressionLevel]: -5 } });
}

test('a damaged backup is refused, whatever is wrong with it, and leaves nothing behind', async () => {
  const broken = join(root, 'broken.tar.zst');
  const dataDir = join(root, 'from-broken');
  const whole = await readFile(file);
  const flipped = Buffer.from(whole);
  flipped[whole.length >> 1]! ^= 0xff;
  const files = await unpacked();
  const segment = [...files.keys()].find((name) => /^pg_wal\/[0-9A-F]{24}$/.test(name))!;
  const cases: [string, Buffer, RegExp][] = [
    ['cut short', whole.subarray(0, whole.length - 1000), /no whole backup/],
    ['a byte changed', flipped, /no whole backup|damaged/],
    ['no backup', Buffer.from('SQL'), /no whole backup/],
    ['a content changed', altered(files, 'PG_VERSION', () => Buffer.from('19\n')), /PG_VERSION has another content/],
    ['a file missing', altered(files, 'global/pg_control', () => undefined), /global\/pg_control is missing/],
    ['a file cut', altered(files, 'global/pg_control', (all) => all.subarray(1)), /pg_control has \d+ bytes/],
    ['log missing', altered(files, segment, () => undefined), /log file pg_wal\/\w+ is missing/],
    ['its manifest', altered(files, 'backup_manifest', (all) => all.subarray(1)), /manifest is not whole/],
  ];
  for (const [what, bytes, message] of cases) {
    await writeFile(broken, bytes);
    await assert.rejects(readBackup({ file: broken }), message, what);
  }
  await assert.rejects(restoreBackup({ file: broken, dataDir, log: silent }), /manifest is not whole/);
  assert.deepEqual(readdirSync(dataDir), []);
});

test('an archive that names paths outside is refused before anything is written', async () => {
  const evil = join(root, 'evil.tar.zst');
  await writeFile(evil, zstdCompressSync(Buffer.concat([tarFile('../evil', Buffer.from('x')), TAR_END])));
  await assert.rejects(restoreBackup({ file: evil, dataDir: join(root, 'evil-target'), log: silent }), /path outside/);
  assert.ok(!existsSync(join(root, 'evil')));
});

test('a backup that was cut off leaves no file of its name', async () => {
  const target = join(root, 'cut.tar.zst');
  let over = false;
  const backup = writeBackup({ url: postgres.url, file: target }).finally(() => {
    over = true;
  });
  const cut = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lockstep backup'`;
  const cutting = (async () => {
    while (!over) await record.query(cut);
  })();
  await assert.rejects(backup);
  await cutting;
  assert.ok(!existsSync(target) && !existsSync(`${target}.partial`));
  await copyFile(file, `${target}.partial`);
  await assert.rejects(writeBackup({ url: postgres.url, file: target }), /Delete it first/);
});
