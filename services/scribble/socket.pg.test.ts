import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testApp } from '../../src/testing/app.ts';
import { BinaryClient, JsonClient, until } from './test-clients.ts';

test('the canvas over WebSocket', async (suite) => {
  const app = await testApp(suite);
  const url = `${app.url}/scribble`;

  await suite.test('a plain client draws, and everybody is told, the sender too', async (t) => {
    const [sender, other] = [await JsonClient.open(t, url), await JsonClient.open(t, `${url}/production`)];
    sender.draw(12, 34);
    for (const client of [sender, other])
      await until('the point', () => client.messages.some((each) => each.x === 12 && each.y === 34));
    assert.deepEqual(other.messages, [{ x: 12, y: 34 }]);
    assert.deepEqual(sender.messages, [{ x: 12, y: 34 }]);
    sender.draw(12, 34);
    sender.draw(12, 34);
    await until('each of its points', () => other.messages.length === 3);
  });

  await suite.test('colours and erasing are told to plain clients so that they can leave them out', async (t) => {
    const client = await JsonClient.open(t, url);
    client.draw(100, 1, 5);
    client.draw(100, 1, null);
    await until('both', () => client.messages.some((each) => 'erase' in each));
    assert.deepEqual(client.messages.slice(-2), [{ x: 100, y: 1, color: 5 }, { erase: { x: 100, y: 1 } }]);
  });

  await suite.test('who comes is told the points of the last two minutes, not older ones', async (t) => {
    await app.record.query(
      `insert into scribble.points (index, color, address, drawn_at)
      select n, 0, 'psql', now() - interval '121 seconds' from generate_series(500000, 500009) n`,
    );
    await app.record.query(
      `insert into scribble.points (index, color, address, drawn_at)
      select n, 0, 'psql', now() - interval '110 seconds' from generate_series(501000, 501009) n`,
    );
    const client = await JsonClient.open(t, url);
    await until('the history', () => client.messages.some((each) => each.x === 9 && each.y === 501));
    assert.deepEqual(
      client.messages.filter((each) => (each.y as number) >= 500).map(({ x, y }) => [x, y]),
      Array.from({ length: 10 }, (_, x) => [x, 501]),
    );
  });

  await suite.test('[SPEC 9] what is wrong is answered with a message, and writes nothing', async (t) => {
    const client = await JsonClient.open(t, url);
    const [{ rows: before }] = (await app.record.query('select count(*) as rows from scribble.points')) as [
      { rows: number },
    ];
    const wrong: [unknown, RegExp][] = [
      [{ action: 'dance' }, /There is no action "dance"/],
      [{ message: { x: 1, y: 1 } }, /A message needs an action/],
      [{ action: 'authenticate' }, /token must be a text, found nothing/],
      [{ action: 'authenticate', token: 7 }, /token must be a text, found 7/],
      [{ action: 'sendMessage' }, /message must be a point/],
      [{ action: 'sendMessage', message: { x: 1000, y: 0 } }, /x must be a whole number from 0 to 999, found 1000/],
      [{ action: 'sendMessage', message: { x: 0, y: -1 } }, /y must be .* found -1/],
      [{ action: 'sendMessage', message: { x: 1.5, y: 0 } }, /x must be .* found 1.5/],
      [{ action: 'sendMessage', message: { x: '1', y: 0 } }, /x must be .* found "1"/],
      [{ action: 'sendMessage', message: { y: 0 } }, /x must be .* found nothing/],
      [{ action: 'sendMessage', message: { x: 0, y: 0, color: 16 } }, /color must be a whole number from 0 to 15/],
      ['[]', /must be a JSON object/],
      ['{', /must be a JSON object/],
      [`{"action":"${'x'.repeat(9000)}"}`, /at most 8192 bytes/],
    ];
    for (const [message, expected] of wrong) {
      const known = client.errors.length;
      client.send(message);
      await until('an answer', () => client.errors.length > known);
      assert.match(client.errors.at(-1)!.message, expected);
    }
    client.socket.send(Buffer.from([1, 8, 0, 0]));
    await until('an answer', () => client.errors.length > wrong.length);
    assert.match(client.errors.at(-1)!.message, /Send JSON as text/);
    const [{ rows: after }] = (await app.record.query('select count(*) as rows from scribble.points')) as [
      { rows: number },
    ];
    assert.equal(after, before);
  });

  await suite.test('[SPEC 8] who goes on sending what is refused is disconnected', async (t) => {
    const client = await JsonClient.open(t, url);
    for (let i = 0; i < 60; i++) client.send({ action: 'dance' });
    assert.deepEqual(await client.closed, { code: 1008, reason: 'too many refused messages' });
    assert.ok(client.errors.length >= 20);
  });

  await suite.test(
    '[SPEC 8] a flood is refused with a message, then disconnected; a frame too large ends the connection',
    async (t) => {
      const flooding = await JsonClient.open(t, url);
      for (let i = 0; i < 12_000; i++) flooding.draw(i % 1000, 700 + Math.floor(i / 1000));
      assert.equal((await flooding.closed).code, 1008);
      assert.ok(flooding.errors.some(({ status, message }) => status === 429 && /too fast/.test(message)));
      const large = await JsonClient.open(t, url);
      large.send(' '.repeat(70_000));
      assert.equal((await large.closed).code, 1009);
    },
  );

  await suite.test(
    'scribble.v2: the canvas, then points; a frame of many is acknowledged when it is in the record',
    async (t) => {
      const client = await BinaryClient.open(t, url);
      await until('the canvas', () => client.canvases === 1);
      assert.deepEqual(client.texts[0]?.hello && Object.keys(client.texts[0].hello as object), [
        'width',
        'height',
        'palette',
        'paper',
        'cooldownMs',
        'pointsAtOnce',
      ]);
      const points = Array.from({ length: 300 }, (_, i) => [900_000 + i, i % 17] as const);
      client.draw(77, points);
      await until('the acknowledgement', () => client.stored.includes(77));
      const rows = await app.record.query<{ index: number; color: number | null }>(
        'select index, color from scribble.points where index between 900000 and 900299 order by index',
      );
      assert.deepEqual(
        rows.map(({ index, color }) => [index, color === null ? 0 : color + 1]),
        points,
      );
      const shown = () => client.points.filter(([index]) => index >= 900_000);
      await until('the points', () => shown().length >= 300);
      assert.deepEqual(
        shown().toSorted(([a], [b]) => a - b),
        points.map((each) => [...each]),
      );
    },
  );

  await suite.test('scribble.v2: a frame of as many points as the hello says passes, a larger one never', async (t) => {
    const client = await BinaryClient.open(t, url);
    await until('the hello', () => client.texts.length > 0);
    const { pointsAtOnce } = client.texts[0]!.hello as { pointsAtOnce: number };
    assert.equal(pointsAtOnce, 8000);
    const frame = (length: number) => Array.from({ length }, (_, i) => [800_000 + i, 1] as const);
    client.draw(1, frame(8001));
    await until('the refusal', () => client.errors.length === 1);
    assert.deepEqual(client.errors[0], { status: 413, message: 'At most 8000 points a frame, found 8001.', id: 1 });
    client.draw(2, frame(8000)); // What was refused took nothing.
    await until('the acknowledgement', () => client.stored.includes(2));
  });

  await suite.test('[SPEC 9] scribble.v2: frames that are none are refused and write nothing', async (t) => {
    const client = await BinaryClient.open(t, url);
    const good = Buffer.from([1, 8, 0, 0, 9, 0, 0, 0, 1, 0, 16, 0]);
    const bad = [
      Buffer.alloc(0),
      good.subarray(0, 8),
      good.subarray(0, 11),
      Buffer.from(good).fill(2, 0, 1),
      Buffer.from(good).fill(255, 8),
      Buffer.concat([good, Buffer.from([0x40, 0x42, 0x0f, 0])]), // the cell 1,000,000
      Buffer.concat([good, Buffer.from([0, 0, 0x20, 1])]), // the code 18
    ];
    for (const [i, bytes] of bad.entries()) {
      client.socket.send(bytes);
      await until('an answer', () => client.errors.length > i);
      assert.equal(client.errors[i]!.id, bytes.length < 8 ? undefined : bytes.readUInt32LE(4));
    }
    const [row] = await app.record.query<{ rows: number }>(
      'select count(*) as rows from scribble.points where index = 1 and color = 0',
    );
    assert.equal(row!.rows, 0);
  });

  await suite.test('scribble.v2: who comes back with a position gets what it missed and nothing else', async (t) => {
    const first = await BinaryClient.open(t, url);
    await until('the canvas', () => first.canvases === 1);
    first.draw(1, [[321_000, 3]]);
    await until('the point', () => first.points.at(-1)?.[0] === 321_000);
    first.socket.terminate();
    await app.record.query(
      "insert into scribble.points (index, color, address) select 321001 + n, 4, 'psql' from generate_series(0, 9) n",
    );
    const back = await BinaryClient.open(t, url, { from: first });
    await until('what it missed', () => back.points.length === 10);
    assert.equal(back.canvases, 0);
    assert.deepEqual(
      back.points,
      Array.from({ length: 10 }, (_, i) => [321_001 + i, 5]),
    );
  });

  await suite.test('a position that is none, of another record, or ahead of this one: the whole canvas', async (t) => {
    const known = await BinaryClient.open(t, url);
    await until('the canvas', () => known.canvases === 1);
    for (const position of ['nonsense', 'other-1', known.position.replace(/-.*/, '-zzzzzzzz')]) {
      const from = Object.assign(new BinaryClient(), { position });
      const back = await BinaryClient.open(t, url, { from });
      await until('the canvas', () => back.canvases === 1);
      back.draw(1, [[1, 1]]);
      await until('a point after it', () => back.points.length > 0);
    }
  });

  await suite.test('a plain GET is sent to the page', async () => {
    for (const path of ['/scribble', '/scribble/production']) {
      const answer = await fetch(app.url + path, { redirect: 'manual' });
      assert.deepEqual([answer.status, answer.headers.get('location')], [308, '/scribble/']);
    }
  });

  await suite.test('who is here is told to scribble.v2, signed-in names too', async (t) => {
    const client = await BinaryClient.open(t, url);
    const body = { username: 'painter', password: 'Tr0ub4dour', email: 'painter@example.com' };
    const send = (path: string) =>
      fetch(`${app.url}/leaderboard${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    await send('/users');
    const { idToken } = (await (await send('/login')).json()) as { idToken: string };
    client.socket.send(JSON.stringify({ action: 'authenticate', token: idToken }));
    await until('the name', () =>
      client.texts.some((text) => (text.here as { names: string[] } | undefined)?.names.includes('painter')),
    );
    client.draw(5, [[654_321, 2]]);
    await until('the point', () => client.stored.includes(5));
    const [row] = await app.record.query<{ username: string; x: number; y: number }>(
      'select username, x, y from scribble.points where index = 654321',
    );
    assert.deepEqual(row, { username: 'painter', x: 321, y: 654 });
  });
});
