import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import type { PgRecord } from '../../record/record.ts';
import type { Row } from '../../record/value.ts';
import { testDatabase } from '../../testing/database.ts';
import { leaderboard } from './leaderboard.ts';
import { modelAnswer } from './model.ts';
import { count, history, type LeaderboardQuery, range, standing, top } from './queries.ts';
import { DAY } from './window.ts';

const KEEP = ['level', 'note'];
/** 2026-11-20 */
const TODAY = 20_777 * DAY;

/** Names that only quoting can carry. */
const TABLES = ['board.games', 'board."odd" games; drop'] as const;
const definitions = TABLES.map((table) =>
  leaderboard({
    ...{ table, id: 'game"id', player: 'user', score: 'score', time: 'time', keep: KEEP },
    windows: { overall: true, monthly: { keepDays: 62 }, daily: { keepDays: 8 } },
  }),
);
const COLUMNS = ['game"id', 'user', 'score', 'time', ...KEEP];
const SHAPE = {
  ...{ table: TABLES[0], id: 'game"id', player: 'user', score: 'score', time: 'time', keep: KEEP, columns: COLUMNS },
  ...{ overall: true, monthly: {}, daily: {} },
};

let record: PgRecord;
before(async () => {
  ({ record } = await testDatabase({ name: 'leaderboard.pg' }));
  await record.query('create schema board');
  // One with a time zone and an integer score, one without and with a floating-point one.
  await record.query(
    'create table board.games ("game""id" integer primary key, "user" text, score integer, time timestamptz, level smallint, note text)',
  );
  await record.query(
    'create table board."""odd"" games; drop" ("game""id" bigint primary key, "user" varchar(20), score double precision, time timestamp, level integer, note text)',
  );
});

const player = fc.constantFrom('ann', 'bob', 'zoë', "o'hara", '', '名前');
const time = fc.oneof(
  fc.nat({ max: 5 }).map((hours) => TODAY + hours * 3_600_000_000),
  fc.integer({ min: -70, max: 3 }).map((days) => TODAY + days * DAY - 1),
);
const rows = fc.uniqueArray(
  fc.record(
    {
      'game"id': fc.nat({ max: 99 }),
      user: fc.option(player, { freq: 20 }),
      score: fc.option(fc.oneof(fc.nat({ max: 5 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1)), { freq: 20 }),
      time: fc.option(time, { freq: 20 }),
      level: fc.option(fc.nat({ max: 100 })),
      note: fc.constantFrom(null, 'a note'),
    },
    { noNullPrototype: true },
  ),
  { maxLength: 60, selector: (row) => row['game"id'], size: 'max' },
);

const board = fc.record({
  board: fc.constantFrom('games' as const, 'players' as const),
  window: fc.constantFrom('overall' as const, 'monthly' as const, 'daily' as const),
  date: fc
    .integer({ min: -70, max: 3 })
    .map((days) => new Date((TODAY + days * DAY) / 1000).toISOString().slice(0, 10)),
});
const query: fc.Arbitrary<LeaderboardQuery> = fc.oneof(
  board.map(count),
  fc
    .tuple(board, fc.nat({ max: 9 }), fc.nat({ max: 70 }))
    .map(([of, offset, limit]) => range({ ...of, offset, limit })),
  fc
    .tuple(board, player, fc.nat({ max: 99 }), fc.nat({ max: 5 }))
    .map(([of, name, id, around]) => standing({ ...of, member: of.board === 'players' ? name : id, around })),
  fc.tuple(player, fc.nat({ max: 9 })).map(([player, limit]) => history({ player, limit })),
);

async function fill(table: string, all: readonly Row[]): Promise<void> {
  const name = `board.${table === TABLES[0] ? 'games' : '"""odd"" games; drop"'}`;
  await record.query(`truncate ${name}`);
  await record.query(
    `insert into ${name} select id, name, score, 'epoch'::timestamptz at time zone 'UTC' + time * interval '1 microsecond', level, note
    from unnest($1::integer[], $2::text[], $3::integer[], $4::bigint[], $5::integer[], $6::text[])
      as new (id, name, score, time, level, note)`,
    COLUMNS.map((column) => all.map((row) => row[column])),
  );
}

for (const [i, definition] of definitions.entries()) {
  const table = TABLES[i]!;
  test(`[SPEC 5] memory, the record and the plain model give the same answers (${table})`, async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.array(query, { minLength: 1, maxLength: 25, size: 'max' }), async (all, queries) => {
        await fill(table, all);
        const view = definition.build();
        view.load(table, await record.query<Row>(`select * from board.${quoted(table)}`));
        await view.loaded();
        const fromRecord = await definition.answerFromRecord(record, queries);
        queries.forEach((query, at) => {
          const expected = modelAnswer({ ...SHAPE, table }, all, query);
          assert.deepEqual(fromRecord[at], expected);
          assert.deepEqual(view.answer(query), expected);
        });
      }),
      { numRuns: 40 },
    );
  });
}

function quoted(table: string): string {
  return `"${table.slice(table.indexOf('.') + 1).replaceAll('"', '""')}"`;
}

test('ranks equal rank() in SQL, ties included', async () => {
  const all = Array.from({ length: 3000 }, (_, id) => ({
    ...{ 'game"id': id, user: `p${(id * 7) % 301}`, score: (id * 31) % 50, time: TODAY - ((id * 17) % 40) * DAY },
    ...{ level: 1, note: null },
  }));
  await fill(TABLES[0], all);
  const view = definitions[0]!.build();
  view.load(TABLES[0], all);
  await view.loaded();
  const ranked = (source: string): Promise<{ id: number; user: string; place: number; tied: number }[]> =>
    record.query(
      `select "game""id" as id, "user", rank() over (order by score desc, time, "game""id") as place,
        rank() over (order by score desc) as tied from ${source}`,
    );
  for (const { id, place } of await ranked('board.games')) {
    assert.equal(rankOf(view.answer(standing({ board: 'games', window: 'overall', member: id }))), place);
  }
  const bests =
    '(select distinct on ("user") * from board.games order by "user", score desc, time, "game""id") as bests';
  for (const { user, place, tied } of await ranked(bests)) {
    assert.equal(rankOf(view.answer(standing({ board: 'players', window: 'overall', member: user }))), place);
    assert.ok(tied <= place);
  }
});

function rankOf(answer: unknown): number {
  return (answer as { rank: number }).rank;
}

test("[SPEC 9] names reach SQL as bound values; one that PostgreSQL cannot hold is nobody's", async () => {
  const [definition] = definitions;
  const hostile = ["'; drop table board.games; --", '$1', '\\', '\0', 'a\0b', '\ud800', '"'];
  for (const name of hostile) {
    const [rows, place] = await definition!.answerFromRecord(record, [
      history({ player: name, limit: 5 }),
      standing({ board: 'players', window: 'overall', member: name }),
    ]);
    assert.deepEqual([rows, place], [[], null]);
  }
  const [none] = await definition!.answerFromRecord(record, [
    standing({ board: 'games', window: 'overall', member: Number.MAX_SAFE_INTEGER }),
  ]);
  assert.equal(none, null);
});

test('dates at the ends of the calendar are windows like any other', async () => {
  await fill(TABLES[0], []);
  const [definition] = definitions;
  const view = definition!.build();
  for (const date of ['0001-01-01', '9999-12-31', '2000-02-29', '1969-12-31']) {
    for (const window of ['daily', 'monthly'] as const) {
      const asked = top({ board: 'games', window, date, limit: 5 });
      assert.deepEqual(await definition!.answerFromRecord(record, [asked]), [[]]);
      assert.deepEqual(view.answer(asked), []);
    }
  }
});
