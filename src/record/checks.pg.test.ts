import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkRecord, RecordUnfit } from './checks.ts';
import { startEmbedded } from './embedded.ts';
import { silent } from './log.ts';
import { openRecord } from './open.ts';

test('a real server: fit as Lockstep makes it, unfit with wal_level=replica and a user without rights', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lockstep-checks-'));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const fit = await startEmbedded({ dataDir, log: silent });
  const good = await openRecord({ url: fit.url, log: silent });
  await checkRecord(good);
  await good.query(`create role app login password 'secret'`);
  const direct = await openRecord({
    url: fit.url.replace(/\/\/[^@]+@/, '//app:secret@'),
    replicationUrl: fit.url,
    log: silent,
  });
  await assert.rejects(checkRecord(direct), (error: Error) => !/may not replicate/.test(error.message));
  await Promise.all([good.close(), direct.close()]);
  await fit.stop();

  const unfit = await startEmbedded({
    dataDir,
    log: silent,
    settings: { wal_level: 'replica', max_replication_slots: '1' },
  });
  t.after(() => unfit.stop());
  const app = await openRecord({ url: unfit.url.replace(/\/\/[^@]+@/, '//app:secret@'), log: silent });
  t.after(() => app.close());
  await assert.rejects(checkRecord(app), (error) => {
    assert.ok(error instanceof RecordUnfit);
    const found = error.problems.map((problem) => problem.found.replace(/ .*/, ''));
    assert.deepEqual(found, ['wal_level', 'user', '0', 'user']);
    return true;
  });
});
