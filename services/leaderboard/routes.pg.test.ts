import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TestApp, testApp } from '../../src/testing/app.ts';
import { TestClient } from './test-client.ts';

interface Message {
  readonly message: string;
}

const SCORES = '/scores/2019-11-06';

/** Rows as by hand: [username, time, level, score]. */
async function insert({ record, live }: TestApp, ...rows: [string, string, number, number][]): Promise<void> {
  const { receipt } = await record.transaction(async (tx) => {
    for (const row of rows) {
      await tx.query('insert into leaderboard.games (username, gamedate, level, score) values ($1, $2, $3, $4)', row);
    }
  });
  await live.applied(receipt);
}

test('accounts and submissions', async (t) => {
  const app = await testApp(t);
  const client = new TestClient(app);
  const account = { username: 'puzzlemaster', password: 'Tr0ub4dour', email: 'p@example.com' };

  await t.test('signs up and logs in', async () => {
    const created = await client.call('POST', '/users', { body: account });
    assert.deepEqual([created.status, created.body], [200, { username: 'puzzlemaster' }]);
    const { status, body } = await client.call('POST', '/login', { body: account });
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body as object), ['idToken', 'accessToken', 'refreshToken', 'expiresIn']);
  });

  await t.test('refuses a weak password, a bad e-mail, a taken name, a wrong password', async () => {
    const signUp = (changes: object) => client.call('POST', '/users', { body: { ...account, ...changes } });
    assert.equal((await signUp({ username: 'a', password: 'password' })).status, 400);
    assert.equal((await signUp({ username: 'a', email: 'nobody' })).status, 400);
    assert.equal((await signUp({ email: 'other@example.com' })).status, 409);
    const wrong = await client.call('POST', '/login', { body: { ...account, password: 'Wrong0ne!' } });
    assert.equal(wrong.status, 401);
    assert.equal((wrong.body as Message).message, 'Incorrect username or password.');
  });

  const token = await client.account('puzzlemaster');
  const submit = (body: unknown, options: { token?: string; headers?: Record<string, string> } = { token }) =>
    client.call('POST', '/users/puzzlemaster', { body, ...options });

  await t.test('[SPEC 1] [SPEC 4] an answered score is stored with the time answered, and on the boards', async () => {
    const { status, body, headers } = await submit({ level: 37, score: 6541 });
    assert.equal(status, 200);
    const { gametime, ...rest } = body as { gametime: string };
    assert.deepEqual(rest, { username: 'puzzlemaster', level: 37, score: 6541 });
    assert.match(gametime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(headers.get('lockstep-position'));
    const [row] = await app.record.query<{ gamedate: number }>('select gamedate from leaderboard.games');
    assert.equal(row!.gamedate, Date.parse(gametime) * 1000);
    const entry = {
      username: 'puzzlemaster',
      gamedate: gametime.slice(0, 19).replace('T', ' '),
      level: 37,
      score: 6541,
    };
    assert.deepEqual(await client.get(`/scores/${gametime.slice(0, 10)}`), {
      overall: [entry],
      monthly: [entry],
      daily: [entry],
    });
  });

  await t.test('takes digits for numbers, and a token after Bearer', async () => {
    const { status, body } = await submit({ level: '100', score: '0' }, { token: `Bearer ${token}` });
    assert.equal(status, 200);
    assert.partialDeepStrictEqual(body, { level: 100, score: 0 });
  });

  await t.test(
    '401 without a token or with a bad one, 403 in another name, before anything else is looked at',
    async () => {
      const without = await submit({ level: 0 }, {});
      assert.deepEqual([without.status, (without.body as Message).message], [401, 'jwt must be provided']);
      assert.equal((await submit({ level: 1, score: 1 }, { token: 'nonsense' })).status, 401);
      assert.equal((await submit({ level: 1, score: 1 }, { token: `${token.slice(0, -4)}AAAA` })).status, 401);
      const other = await client.call('POST', '/users/ubecker', { token, body: { level: 0 } });
      assert.equal(other.status, 403);
    },
  );

  await t.test('400 outside the bounds, saying which they are', async () => {
    for (const level of [0, 101, 1.5, '', 'x', null, true]) {
      const { status, body } = await submit({ level, score: 1 });
      assert.equal(status, 400);
      assert.match((body as Message).message, /^level must be a whole number from 1 to 100, found /);
    }
    for (const score of [-1, 2_147_483_648]) assert.equal((await submit({ level: 1, score })).status, 400);
    assert.equal((await submit({ level: 1, score: 2_147_483_647 })).status, 200);
  });

  await t.test('an Idempotency-Key stores once, and belongs to one result', async () => {
    const headers = { 'idempotency-key': 'first-try' };
    const count = async () =>
      (await app.record.query<{ n: number }>('select count(*) as n from leaderboard.games'))[0]!.n;
    const before = await count();
    const tries = await Promise.all([1, 2, 3].map(() => submit({ level: 5, score: 55 }, { token, headers })));
    assert.equal(new Set(tries.map(({ body }) => JSON.stringify(body))).size, 1);
    assert.deepEqual(
      tries.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal(await count(), before + 1);
    assert.equal((await submit({ level: 5, score: 56 }, { token, headers })).status, 422);
  });

  await t.test('many at once are each stored once', async () => {
    const scores = Array.from({ length: 200 }, (_, score) => score + 1000);
    const answers = await Promise.all(scores.map((score) => submit({ level: 9, score })));
    assert.deepEqual(
      answers.map(({ body }) => (body as { score: number }).score),
      scores,
    );
    const games = (await client.get('/users/puzzlemaster?limit=1000')) as { level: number; score: number }[];
    const stored = games.filter(({ level }) => level === 9).map(({ score }) => score);
    assert.deepEqual(stored, scores.toReversed());
  });

  await t.test('an admin takes a game off every board; nobody else does', async () => {
    const admin = await client.account('admin');
    const games = (await client.get('/users/puzzlemaster?limit=1')) as { game_id: number }[];
    const path = `/games/${games[0]!.game_id}`;
    assert.equal((await client.call('DELETE', path)).status, 401);
    assert.equal((await client.call('DELETE', path, { token })).status, 403);
    await app.identity.grant('admin', 'admin');
    const { body } = await client.call('POST', '/login', { body: { username: 'admin', password: 'Tr0ub4dour' } });
    const { idToken } = body as { idToken: string };
    assert.notEqual(idToken, admin);
    const removed = await client.call('DELETE', path, { token: idToken });
    assert.deepEqual([removed.status, removed.body], [200, { game_id: games[0]!.game_id }]);
    assert.equal((await client.call('DELETE', path, { token: idToken })).status, 404);
    const left = (await client.get('/users/puzzlemaster?limit=1000')) as { game_id: number }[];
    assert.ok(left.every(({ game_id }) => game_id !== games[0]!.game_id));
  });
});

test('boards, histories and ranks', async (t) => {
  const app = await testApp(t);
  const client = new TestClient(app);
  await insert(
    app,
    ['ubecker', '2019-11-06 09:00:37.5Z', 84, 9090],
    ['ubecker', '2019-11-06 10:00:00Z', 20, 100],
    ['ann', '2019-11-06 08:00:00Z', 80, 9090],
    ['bob', '2019-11-01 00:00:00Z', 50, 5000],
    ['eve', '2019-10-31 23:59:59Z', 99, 9999],
    ['eve', '2019-12-01 00:00:00Z', 10, 50],
  );
  const names = (entries: readonly { username: string }[]) => entries.map(({ username }) => username);

  await t.test('the three boards of a day: best first, ties to the earlier game, in UTC', async () => {
    const boards = (await client.get(SCORES)) as Record<string, { username: string }[]>;
    assert.deepEqual(names(boards.overall!), ['eve', 'ann', 'ubecker', 'bob', 'ubecker']);
    assert.deepEqual(names(boards.monthly!), ['ann', 'ubecker', 'bob', 'ubecker']);
    assert.deepEqual(boards.daily, [
      { username: 'ann', gamedate: '2019-11-06 08:00:00', level: 80, score: 9090 },
      { username: 'ubecker', gamedate: '2019-11-06 09:00:37', level: 84, score: 9090 },
      { username: 'ubecker', gamedate: '2019-11-06 10:00:00', level: 20, score: 100 },
    ]);
  });

  await t.test('days and months without games are empty; limit limits', async () => {
    const empty = (await client.get('/scores/2001-02-03?limit=1')) as Record<string, { username: string }[]>;
    assert.deepEqual(names(empty.overall!), ['eve']);
    assert.deepEqual([empty.monthly, empty.daily], [[], []]);
  });

  await t.test("a player's games, best first; nobody has none", async () => {
    const games = (await client.get('/users/ubecker?limit=10')) as object[];
    assert.deepEqual(games, [
      { game_id: 1, username: 'ubecker', gamedate: '2019-11-06 09:00:37', score: 9090, level: 84 },
      { game_id: 2, username: 'ubecker', gamedate: '2019-11-06 10:00:00', score: 100, level: 20 },
    ]);
    assert.deepEqual(Object.keys(games[0]!), ['game_id', 'username', 'gamedate', 'score', 'level']);
    assert.deepEqual(await client.get('/users/nobody'), []);
  });

  await t.test('the rank among players, with percentile and neighbours', async () => {
    const rank = await client.get('/players/ubecker/rank?window=overall&around=1');
    assert.partialDeepStrictEqual(rank, { rank: 3, of: 4, percentile: 33.33, score: 9090, level: 84, date: null });
    const { neighbours } = rank as { neighbours: { username: string; rank: number }[] };
    assert.deepEqual(
      neighbours.map(({ username, rank }) => [rank, username]),
      [
        [2, 'ann'],
        [3, 'ubecker'],
        [4, 'bob'],
      ],
    );
    const day = await client.get('/players/ubecker/rank?window=daily&date=2019-11-06');
    assert.partialDeepStrictEqual(day, { rank: 2, of: 2, percentile: 0, window: 'daily', date: '2019-11-06' });
  });

  await t.test('404 for an unknown player, and for one without a game in the window, told apart', async () => {
    const unknown = await client.call('GET', '/players/nobody/rank');
    assert.deepEqual(
      [unknown.status, (unknown.body as Message).message],
      [404, 'There is no player "nobody" with a game.'],
    );
    const idle = await client.call('GET', '/players/bob/rank?window=daily&date=2019-11-06');
    assert.equal(idle.status, 404);
    assert.match((idle.body as Message).message, /^"bob" has no game on 2019-11-06/);
  });

  await t.test('400 for a date that is none, a limit that is none', async () => {
    for (const path of [
      '/scores/2019-02-30',
      '/scores/today',
      '/scores/0000-01-01',
      '/scores/2019-2-3',
      `${SCORES}?limit=0`,
      `${SCORES}?limit=x`,
      `${SCORES}?limit=101`,
      '/users/ann?limit=-1',
      '/players/ann/rank?window=yearly',
      '/players/ann/rank?date=x',
      '/players/ann/rank?around=51',
    ]) {
      const { status, body } = await client.call('GET', path);
      assert.equal(status, 400, path);
      assert.ok((body as Message).message.length > 10, path);
    }
  });

  await t.test('a row changed or deleted by hand is on the boards as soon as it is applied', async () => {
    const sql = async (text: string) => {
      const { receipt } = await app.record.transaction((tx) => tx.query(text));
      await app.live.applied(receipt);
    };
    const overall = async () => names(((await client.get(SCORES)) as Record<string, { username: string }[]>).overall!);
    await sql("update leaderboard.games set score = 10000 where username = 'bob'");
    assert.deepEqual(await overall(), ['bob', 'eve', 'ann', 'ubecker', 'ubecker']);
    await sql("delete from leaderboard.games where username = 'ann'");
    assert.deepEqual(await overall(), ['bob', 'eve', 'ubecker', 'ubecker', 'eve']);
    await sql('truncate leaderboard.games');
    assert.deepEqual(await overall(), []);
  });
});

test('the stream sends the boards at once and after each change', async (t) => {
  const app = await testApp(t);
  const leaving = new AbortController();
  t.after(() => leaving.abort());
  const response = await fetch(`${app.url}/leaderboard${SCORES}/stream`, { signal: leaving.signal });
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  const states = statesOf(response.body!);
  assert.deepEqual((await states.next()).value, { overall: [], monthly: [], daily: [] });
  await insert(app, ['ann', '2019-11-06T08:00:00Z', 80, 9090]);
  const entry = { username: 'ann', gamedate: '2019-11-06 08:00:00', level: 80, score: 9090 };
  assert.deepEqual((await states.next()).value, { overall: [entry], monthly: [entry], daily: [entry] });
  const bad = await new TestClient(app).call('GET', '/scores/2019-13-01/stream');
  assert.equal(bad.status, 400);
});

async function* statesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of body) {
    text += decoder.decode(piece, { stream: true });
    const events = text.split('\n\n');
    text = events.pop()!;
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event);
      if (data) yield JSON.parse(data[1]!);
    }
  }
}

test('settings move the bounds', async (t) => {
  const app = await testApp(t, { services: { leaderboard: { maxLevel: 200 } } });
  const client = new TestClient(app);
  const token = await client.account('ann');
  const submit = (level: number) => client.call('POST', '/users/ann', { token, body: { level, score: 1 } });
  assert.equal((await submit(200)).status, 200);
  assert.equal((await submit(201)).status, 400);
});
