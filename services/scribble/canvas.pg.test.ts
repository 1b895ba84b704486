import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { type BitmapQuery, bits, changes, snapshot, type ViewHandle } from '../../src/index.ts';
import { type TestApp, testApp } from '../../src/testing/app.ts';
import { withDeferredViews } from '../../src/testing/deferred-views.ts';
import { testServices } from '../../src/testing/services.ts';
import { HEIGHT, WIDTH } from './canvas.ts';
import scribble from './service.ts';
import { BinaryClient, JsonClient, until } from './test-clients.ts';
import { Writes } from './writes.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const ADMIN = { username: 'admin', address: '::1' };

function viewOf(app: TestApp): ViewHandle<BitmapQuery> {
  return app.live.view('scribble/canvas') as ViewHandle<BitmapQuery>;
}

/** The canvas by the simplest SQL over the history: each cell's newest point. */
async function recorded(app: TestApp): Promise<Uint8Array> {
  const rows = await app.record.query<{ index: number; color: number | null }>(
    'select distinct on (index) index, color from scribble.points order by index, point_id desc',
  );
  const codes = new Uint8Array(WIDTH * HEIGHT);
  for (const { index, color } of rows) codes[index] = color === null ? 0 : color + 1;
  return codes;
}

/** Half a million points take a store on a busy machine this long, if need be. */
const SETTLE_MS = 90_000;

/** Waits until the view has applied everything that is committed. */
async function settled({ live, record }: TestApp): Promise<void> {
  await live.reached({ epoch: live.watermark.epoch, lsn: await record.flushedLsn() }, SETTLE_MS);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Bytes outside of the heap that something still refers to: what was sent to a store and is not collected yet is not held. */
function heldBytes(): number {
  collect();
  return process.memoryUsage().external;
}

/** One writer's statements: each is a transaction of its own. */
type Step =
  | { readonly kind: 'draw'; readonly points: readonly (readonly [number, number | null])[] }
  | { readonly kind: 'rollback'; readonly address: string }
  | { readonly kind: 'clear' }
  | { readonly kind: 'coalesced'; readonly points: readonly (readonly [number, number | null])[] };

const point = fc.tuple(fc.nat({ max: 30 }), fc.option(fc.nat({ max: 15 }), { freq: 4 }));
const points = fc.array(point, { minLength: 1, maxLength: 12 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('draw' as const), points }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('coalesced' as const), points }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rollback' as const), address: fc.constantFrom('w0', 'w1') }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'clear' as const }) },
);
const writers = fc.array(fc.array(step, { minLength: 1, maxLength: 15 }), { minLength: 2, maxLength: 5 });

async function take(app: TestApp, writes: Writes, one: Step, address: string): Promise<void> {
  if (one.kind === 'clear') await writes.clear(ADMIN);
  if (one.kind === 'rollback') {
    const range = { from: '2020-01-01T00:00:00Z', to: new Date(Date.now() + 1000).toISOString() };
    await writes.rollback({ username: null, address: one.address }, range, ADMIN);
  }
  if (one.kind === 'coalesced') {
    const drawn = one.points.map(([index, color]) => writes.draw({ index, color, username: null, address }));
    assert.ok((await Promise.all(drawn)).every(({ value }) => value));
  }
  if (one.kind === 'draw') {
    await app.record.query(
      `insert into scribble.points (index, color, address)
        select index, color, $3 from unnest($1::integer[], $2::smallint[]) as p (index, color)`,
      [one.points.map(([index]) => index), one.points.map(([, color]) => color), address],
    );
  }
}

async function manyWriters(t: TestContext, app: TestApp): Promise<void> {
  const writes = new Writes(app);
  const url = `${app.url}/scribble`;
  const [plain, binary] = [await JsonClient.open(t, url), await BinaryClient.open(t, url)];
  let left = await BinaryClient.open(t, url);
  await fc.assert(
    fc.asyncProperty(writers, async (all) => {
      const joining = JsonClient.open(t, url);
      await until('the canvas', () => left.position !== '');
      left.socket.terminate();
      await Promise.all(
        all.map(async (steps, i) => {
          for (const one of steps) await take(app, writes, one, `w${i}`);
        }),
      );
      const late = await BinaryClient.open(t, url);
      left = await BinaryClient.open(t, url, { from: left });
      const joined = await joining;
      await settled(app);
      const expected = await recorded(app);
      const answer = await viewOf(app).read([snapshot()]);
      assert.equal(answer.source, 'view');
      assert.ok(same(answer.results[0].codes, expected), 'the view differs from the history');
      for (const client of [binary, late, left])
        await until('a binary client to show the history', () => same(client.codes, expected));
      for (const client of [plain, joined])
        await until('a plain client to show the history', () => same(client.codes, expected));
      late.socket.terminate();
      joined.socket.terminate();
    }),
    { numRuns: 25 },
  );
  assert.equal((await app.live.view('scribble/canvas').verify()).drift, 0);
}

/** Draws cells 0, 1, 2, ... one after another until told to stop; each is drawn once. Returns how many. */
async function drawOn(writes: Writes, signal: AbortSignal): Promise<number> {
  let next = 0;
  const loop = async () => {
    while (!signal.aborted && next < WIDTH * HEIGHT) {
      await writes.draw({ index: next++, color: 0, username: null, address: 'loop' });
    }
  };
  await Promise.all(Array.from({ length: 32 }, loop));
  return next;
}

async function manyClients(t: TestContext, app: TestApp): Promise<void> {
  const stop = new AbortController();
  const drawing = drawOn(new Writes(app), stop.signal);
  const clients: (JsonClient | BinaryClient)[] = [];
  for (let i = 0; i < 30; i++) {
    clients.push(await (i % 3 === 2 ? BinaryClient : JsonClient).open(t, `${app.url}/scribble`));
    if (i === 15) await app.live.view('scribble/canvas').rebuild();
    await sleep(i % 10);
  }
  stop.abort();
  const drawn = await drawing;
  t.diagnostic(`${drawn} points were drawn while 30 clients came`);
  for (const client of clients) {
    if (client instanceof JsonClient) {
      await until('the last point', () => client.points.length >= drawn);
      const cells = client.points.map(({ x, y }) => (y as number) * WIDTH + (x as number));
      assert.equal(new Set(cells).size, drawn);
      assert.equal(cells.length, drawn, 'told twice');
    } else {
      const cells = () => client.codes.reduce((sum, code) => sum + (code ? 1 : 0), 0);
      await until('the last point', () => cells() === drawn);
      assert.equal(new Set(client.points.map(([index]) => index)).size, client.points.length, 'told twice');
    }
  }
}

/** In this process, and outside of it: then it never answers at once; and sent to all at once or not. */
const places = [
  ['', scribble, {}],
  [', from a view that answers late', withDeferredViews(scribble as never), {}],
  [', a few at a time', scribble, { sentAtOnce: 2 }],
  [', a few at a time from a view that answers late', withDeferredViews(scribble as never), { sentAtOnce: 2 }],
] as const;

for (const [place, service, settings] of places) {
  const start = (t: TestContext) => testServices(t, [service as never], { services: { scribble: settings } });
  test(`[SPEC 2] [SPEC 3] concurrent writers: cells, view, clients that come, go and come back all equal the history${place}`, async (t) =>
    manyWriters(t, await start(t)));
  test(`[SPEC 3] whatever is drawn while clients connect, each misses nothing and is told nothing twice${place}`, async (t) =>
    manyClients(t, await start(t)));
}

test('[SPEC 8] a client that does not read is told less, costs no more, and is up to date when it reads again', async (t) => {
  const app = await testApp(t);
  const url = `${app.url}/scribble`;
  const [slowJson, slowBinary] = [await JsonClient.open(t, url), await BinaryClient.open(t, url)];
  for (const { socket } of [slowJson, slowBinary]) socket.pause();
  const insert = (round: number) =>
    app.record.query(
      `insert into scribble.points (index, color, address)
        select n, $1::integer % 16, 'psql' from generate_series(0, 9999) n`,
      [round],
    );
  const before = heldBytes();
  for (let round = 0; round < 50; round++) await insert(round);
  await settled(app);
  // 500,000 points, 10 MB as JSON for each client: held for nobody.
  assert.ok(heldBytes() - before < 60 * 2 ** 20);
  const expected = await recorded(app);
  for (const { socket } of [slowJson, slowBinary]) socket.resume();
  await until('the binary client', () => same(slowBinary.codes, expected));
  await until('the plain client', () => same(slowJson.codes, expected));
  assert.ok(slowJson.points.length < 500_000);
});

test('a restart: clients that come back get what was drawn meanwhile, the history begins where it was', async (t) => {
  const first = await testApp(t);
  const client = await BinaryClient.open(t, `${first.url}/scribble`);
  client.draw(1, [[7, 1]]);
  await until('the point', () => client.points.length === 1);
  const app = await first.restart();
  await app.record.query("insert into scribble.points (index, color, address) values (8, 2, 'psql')");
  await settled(app);
  const back = await BinaryClient.open(t, `${app.url}/scribble`, { from: client });
  const plain = await JsonClient.open(t, `${app.url}/scribble`);
  await until('what it missed', () => back.points.length === 1);
  assert.deepEqual([back.points, back.canvases], [[[8, 3]], 0]);
  await until('the last two minutes', () => plain.points.length === 2);
  assert.deepEqual(plain.points, [
    { x: 7, y: 0 },
    { x: 8, y: 0, color: 2 },
  ]);
});

test('the cells follow the points and nothing else', async (t) => {
  const app = await testApp(t);
  await app.record.query("insert into scribble.points (index, color, address) values (1, 1, 'psql')");
  for (const sql of [
    'update scribble.cells set color = 2',
    'delete from scribble.cells',
    'truncate scribble.cells',
    'insert into scribble.cells values (2, 1, 99, now())',
  ])
    await assert.rejects(app.record.query(sql), /insert a point to change a cell/);
  await app.record.query('delete from scribble.points');
  const [kept] = await app.record.query('select index, color from scribble.cells');
  assert.deepEqual(kept, { index: 1, color: 1 }, 'a history that is trimmed leaves the canvas');
});

test('cells changed behind the points: binary clients get the canvas anew, plain ones are sent away', async (t) => {
  const app = await testApp(t);
  const url = `${app.url}/scribble`;
  await app.record.query(
    "insert into scribble.points (index, color, address) select n, 1, 'psql' from generate_series(1, 9) n",
  );
  const [binary, plain] = [await BinaryClient.open(t, url), await JsonClient.open(t, url)];
  await until('both to be live', () => binary.codes[9] === 2 && plain.points.length === 9);
  await app.record.transaction(async (tx) => {
    await tx.query('set local session_replication_role = replica'); // no triggers: as a restore does it
    await tx.query('delete from scribble.cells where index = 5');
  });
  await until('the cell to be gone', () => binary.codes[5] === 0 && binary.codes[9] === 2);
  assert.equal((await plain.closed).code, 1012);
  binary.draw(1, [[5, 3]]);
  await until('a point after it', () => binary.codes[5] === 3);
});

test('points rolled back stay back, whatever is rolled back later', async (t) => {
  const app = await testApp(t);
  const writes = new Writes(app);
  const draw = (index: number, color: number | null, address: string) =>
    writes.draw({ index, color, username: address === 'user' ? 'user' : null, address });
  const all = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' };
  await draw(1, 1, 'good');
  await draw(1, 2, 'bad');
  await draw(1, 3, 'user');
  await draw(2, 2, 'bad');
  await draw(3, 2, 'bad');
  await draw(3, 4, 'good');
  assert.deepEqual((await writes.rollback({ username: null, address: 'bad' }, all, ADMIN)).value, {
    points: 3,
    cells: 1,
  });
  assert.deepEqual((await writes.rollback({ username: 'user', address: null }, all, ADMIN)).value, {
    points: 1,
    cells: 1,
  });
  assert.deepEqual((await writes.rollback({ username: null, address: 'nobody' }, all, ADMIN)).value, {
    points: 0,
    cells: 0,
  });
  await settled(app);
  const { results } = await viewOf(app).read([changes({ after: 0, limit: 10 }), bits()]);
  const found = new Map([...results[0].cells].map((cell, i) => [cell, results[0].codes[i]]));
  assert.deepEqual(Object.fromEntries(found), { 1: 2, 2: 0, 3: 5 });
});

test('a cool-down between two points', async (t: TestContext) => {
  const app = await testApp(t, { services: { scribble: { cooldownMs: 60_000 } } });
  const client = await JsonClient.open(t, `${app.url}/scribble`);
  client.draw(1, 1);
  client.draw(2, 1);
  await until('the refusal', () => client.errors.length === 1);
  assert.match(client.errors[0]!.message, /pause between two points; draw the next one in [\d.]+ s/);
  await until('the first point', () => client.points.length === 1);
  const binary = await BinaryClient.open(t, `${app.url}/scribble`);
  binary.draw(7, [[3, 1]]);
  await until('a refusal that names the frame', () => binary.errors.length === 1);
  const { id, retryAfterMs } = binary.errors[0]!;
  assert.equal(id, 7);
  assert.ok(retryAfterMs! > 0 && retryAfterMs! <= 60_000);
  binary.draw(8, [
    [4, 1],
    [5, 1],
  ]);
  await until('another', () => binary.errors.length === 2);
  assert.deepEqual(binary.errors[1], { status: 413, message: 'At most 1 point a frame, found 2.', id: 8 });
});
