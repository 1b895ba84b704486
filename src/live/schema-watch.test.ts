import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { until } from '../testing/fake-follower.ts';
import { SchemaWatch } from './schema-watch.ts';
import type { ServedView } from './served-view.ts';
import { Watermark } from './watermark.ts';

/** A watch over one view; SQL shows everything applied once `shown` is set. */
function watching() {
  const view = { doubted: false };
  const sql = { shown: false, asking: 0, most: 0, checks: 0 };
  const watermark = new Watermark({ flushedLsn: async () => 0, poke() {} });
  watermark.restart({ epoch: 'e', lsn: 1 });
  const commit = (xid: number) => watermark.transaction(xid, xid);
  commit(100);
  const watch = new SchemaWatch({
    views: [view as ServedView],
    watermark,
    async checkSchema() {
      sql.checks++;
    },
    async currentSnapshot() {
      sql.most = Math.max(sql.most, ++sql.asking);
      await nextTurn();
      sql.asking--;
      return sql.shown ? '900:900:' : '100:101:100';
    },
    stopped: new AbortController().signal,
    rebuild: () => assert.fail('nothing has changed'),
  });
  return { watch, view, sql, commit };
}

test('[rule 15] views that are doubted for long are looked at by one question at a time, and also for what was told meanwhile', async () => {
  const { watch, view, sql } = watching();
  watch.told();
  await until('it asks', () => sql.asking > 0);
  for (let seconds = 0; seconds < 20; seconds++) watch.check();
  watch.told();
  for (let turns = 0; turns < 20; turns++) await nextTurn();
  assert.equal(sql.most, 1);
  assert.equal(view.doubted, true);
  sql.shown = true;
  await until('it is known', () => !view.doubted);
  assert.equal(sql.checks, 2);
});

test('[SPEC 5] [rule 15] a look now and then does not end the doubt before what was told is applied', async () => {
  const { watch, view, sql } = watching();
  sql.shown = true;
  const applied = Promise.withResolvers<void>();
  watch.told(() => applied.promise);
  watch.check();
  for (let turns = 0; turns < 20; turns++) await nextTurn();
  assert.equal(view.doubted, true);
  applied.resolve();
  await until('it is known', () => !view.doubted);
});

test('after a stream that ended before it had applied what it told, the schema is looked at as before', async () => {
  const { watch, sql } = watching();
  sql.shown = true;
  watch.told(() => Promise.reject(new Error('the stream ended')));
  await nextTurn();
  watch.check();
  await until('a look', () => sql.checks === 1);
});
