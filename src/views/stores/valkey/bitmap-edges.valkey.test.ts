import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RESP_TYPES } from 'redis';
import type { Change } from '../../../changes/change.ts';
import type { Row } from '../../../record/value.ts';
import { ScriptBucket, scriptClient } from '../../../testing/script-bucket.ts';
import { StoredPair } from '../../../testing/stored-pair.ts';
import { startValkey, type TestValkey } from '../../../testing/valkey.ts';
import { bitmap } from '../../bitmap/bitmap.ts';
import { type BitmapQuery, bits, changes, drawn, region, sequenceAt, snapshot } from '../../bitmap/queries.ts';
import { SHAPE, TABLE } from '../../bitmap/test-cells.ts';

const definition = bitmap({ ...SHAPE, width: 77, height: 30 });

let server: TestValkey;
let client: Awaited<ReturnType<typeof scriptClient>>;
before(async () => {
  server = await startValkey();
  client = await scriptClient(server.url);
});
after(async () => {
  client?.destroy();
  await server?.stop();
});

/** Bulk strings as they are. */
function bytesClient() {
  return client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }) as unknown as typeof client;
}

function pair(): StoredPair<BitmapQuery> {
  return new StoredPair({ definition, bucket: new ScriptBucket(bytesClient(), definition.stored!.script) });
}

function put(after: Row): Change {
  return { op: 'update', table: TABLE, before: null, after };
}

function remove(index: Row[string]): Change {
  return { op: 'delete', table: TABLE, before: { index }, after: null };
}

const cell = (index: number, values: Row = {}): Row => ({
  index,
  color: 1,
  point_id: index + 1,
  drawn_at: 0,
  ...values,
});

test('the whole, with colours and as bits, also where nothing was ever drawn', async () => {
  const canvas = pair();
  for (const query of [snapshot(), bits(), drawn(), changes({ after: 0, limit: 9 }), sequenceAt(9)])
    await canvas.ask(query);
  await canvas.apply([
    put(cell(0)),
    put(cell(76, { color: null })),
    put(cell(77)),
    put(cell(77 * 30 - 1, { color: 15 })),
  ]);
  for (const query of [snapshot(), bits(), drawn(), region({ x: 70, y: 28, width: 7, height: 2 })])
    await canvas.ask(query);
  await canvas.apply([remove(0), put(cell(77, { color: null }))]);
  await canvas.audit();
});

test('numbers and times beyond 32 bits are exact', async () => {
  const canvas = pair();
  const greatest = Number.MAX_SAFE_INTEGER;
  await canvas.apply([
    put(cell(1, { point_id: greatest - 1, drawn_at: greatest })),
    put(cell(2, { point_id: greatest, drawn_at: -greatest })),
    put(cell(3, { point_id: 1e15, drawn_at: 1e15 })),
  ]);
  assert.equal(await canvas.ask(sequenceAt(greatest)), greatest);
  assert.equal(await canvas.ask(sequenceAt(1e15)), greatest);
  for (const after of [0, 1e15 - 1, 1e15, greatest - 1, greatest]) await canvas.ask(changes({ after, limit: 2 }));
  await canvas.audit();
});

test('[SPEC 5] a row that is no cell stops the answers until it is gone', async () => {
  const canvas = pair();
  const good = cell(3);
  const bad: Row[] = [
    { ...good, index: 77 * 30 },
    { ...good, index: -1 },
    { ...good, index: 1.5 },
    { ...good, index: 2n ** 60n },
    { ...good, color: 16 },
    { ...good, point_id: 0 },
    { ...good, point_id: 2n ** 60n },
    { ...good, drawn_at: Number.POSITIVE_INFINITY },
    { ...good, drawn_at: undefined },
  ];
  for (const after of bad) {
    await canvas.apply([put(after)]);
    for (const query of [drawn(), snapshot(), bits(), changes({ after: 0, limit: 9 }), sequenceAt(9)]) {
      assert.equal(await canvas.ask(query), undefined);
    }
    await canvas.audit();
    await canvas.apply([remove(after.index)]);
    assert.equal(await canvas.ask(drawn()), 0);
  }
  await canvas.apply([put(bad[0]!)]);
  await canvas.apply([{ op: 'truncate', table: TABLE, before: null, after: null }]);
  assert.equal(await canvas.ask(drawn()), 0);
});

test('a time that many cells changed after is looked for, and past a bound left to the record', async () => {
  const large = bitmap({ ...SHAPE, width: 300, height: 300 });
  const canvas = new StoredPair<BitmapQuery>({
    definition: large,
    bucket: new ScriptBucket(bytesClient(), large.stored!.script),
  });
  const cells = Array.from({ length: 60_000 }, (_, i) => put(cell(i, { drawn_at: i })));
  for (let start = 0; start < cells.length; start += 2000) await canvas.apply(cells.slice(start, start + 2000));
  for (const at of [59_999, 59_000, 51_000]) assert.equal(await canvas.ask(sequenceAt(at)), at + 1);
  assert.equal(await canvas.stored(sequenceAt(5)), undefined);
  await canvas.ask(changes({ after: 0, limit: 60_000 }));
});

test('[SPEC 9] questions outside the bitmap are refused', () => {
  for (const query of [region({ x: 70, y: 0, width: 8, height: 1 }), changes({ after: -1, limit: 5 })])
    assert.throws(() => definition.stored!.read(query), { status: 400 });
});
