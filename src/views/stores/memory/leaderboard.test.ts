import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Change } from '../../../changes/change.ts';
import type { Row } from '../../../record/value.ts';
import { viewContract } from '../../contract.ts';
import { leaderboard } from '../../leaderboard/leaderboard.ts';
import { modelAnswer } from '../../leaderboard/model.ts';
import { count, history, type LeaderboardQuery, range, standing, top } from '../../leaderboard/queries.ts';
import {
  type COLUMNS,
  dateOf,
  doubles,
  integers,
  query,
  rowOf,
  SHAPE,
  TABLE,
  TODAY,
} from '../../leaderboard/test-games.ts';
import { DAY } from '../../leaderboard/window.ts';
import { MemoryLeaderboard } from './leaderboard.ts';

const options = {
  table: TABLE,
  ids: 40,
  query,
  model: (rows: readonly Row[], asked: LeaderboardQuery) => modelAnswer(SHAPE, rows, asked),
};
const build = () => new MemoryLeaderboard({ shape: SHAPE });
const buildSmall = () => new MemoryLeaderboard({ shape: SHAPE, fanout: { leafCapacity: 4, innerCapacity: 4 } });
viewContract({
  ...options,
  name: 'leaderboard in memory, integer scores',
  definition: { build },
  row: rowOf(integers),
});
viewContract({
  ...options,
  name: 'leaderboard in memory, small nodes',
  definition: { build: buildSmall },
  row: rowOf(doubles),
});

function game(id: number, values: Partial<Record<(typeof COLUMNS)[number], Row[string]>> = {}): Row {
  return { id, player: 'ann', score: id, time: TODAY, level: 1, note: null, ...values };
}

function insert(...rows: Row[]): Change[] {
  return rows.map((after) => ({ op: 'insert', table: TABLE, before: null, after }));
}

function update(after: Row, before: Row | null = null): Change {
  return { op: 'update', table: TABLE, before, after };
}

function remove(id: number): Change {
  return { op: 'delete', table: TABLE, before: { id }, after: null };
}

test('[SPEC 3] many new rows at once, with other changes among them, are as one after the other', () => {
  const rows = (from: number, length: number) =>
    fc.tuple(...Array.from({ length }, (_, i) => rowOf(fc.oneof(integers, doubles))(from + i)));
  const touched = fc.oneof(fc.nat({ max: 39 }).chain(rowOf(integers)), fc.nat({ max: 39 }));
  fc.assert(
    fc.property(
      rows(0, 40),
      rows(100, 90),
      fc.array(fc.tuple(fc.nat({ max: 89 }), touched), { maxLength: 3 }),
      (...all) => {
        const [first, added, others] = all;
        const changes = insert(...added);
        for (const [at, other] of others)
          changes.splice(at, 0, typeof other === 'number' ? remove(other) : update(other));
        const views = [buildSmall(), buildSmall()] as const;
        for (const view of views) view.apply(insert(...first));
        views[0].apply(changes);
        for (const change of changes) views[1].apply([change]);
        assert.deepEqual([...views[0].compare(views[1])].filter(Boolean), []);
        const of = { board: 'players', window: 'monthly', date: dateOf(TODAY), offset: 0, limit: 200 } as const;
        assert.deepEqual(views[0].answer(range(of)), views[1].answer(range(of)));
      },
    ),
    { numRuns: 300 },
  );
});

test('[SPEC 3] [SPEC 7] [rule 4] a large transaction, put off and merged, leaves the boards as its changes one after the other', () => {
  const id = fc.nat({ max: 59 });
  const row = id.chain(rowOf(fc.oneof(integers, doubles)));
  const change = fc.oneof(
    { weight: 8, arbitrary: row.map((after) => ({ after })) },
    { weight: 2, arbitrary: id.map((gone) => ({ gone })) },
    { weight: 1, arbitrary: fc.record({ from: id, after: row }) },
    { weight: 1, arbitrary: fc.constant({ truncate: true }) },
  );
  type Step = { after?: Row; gone?: number; from?: number; truncate?: true };
  const transactions = fc.array(
    fc.record({
      steps: fc.array(change as fc.Arbitrary<Step>, { maxLength: 120, size: 'max' }),
      slice: fc.integer({ min: 1, max: 50 }),
    }),
    { minLength: 1, maxLength: 4 },
  );
  const changesOf = (steps: readonly Step[], present: Set<unknown>): Change[] => {
    const changes: Change[] = [];
    for (const { after, gone, from, truncate } of steps) {
      if (truncate) {
        changes.push(TRUNCATE);
        present.clear();
      } else if (after && from !== undefined) {
        if (!present.delete(from) || (present.has(after.id) && after.id !== from)) continue;
        changes.push({ op: 'update', table: TABLE, before: { id: from }, after });
        present.add(after.id);
      } else if (after) {
        changes.push(...(present.has(after.id) ? [update(after)] : insert(after)));
        present.add(after.id);
      } else if (present.delete(gone)) changes.push(remove(gone!));
    }
    return changes;
  };
  fc.assert(
    fc.property(transactions, (all) => {
      const views = [buildSmall(), buildSmall()] as const;
      const present = new Set<unknown>();
      for (const { steps, slice } of all) {
        const changes = changesOf(steps, present);
        for (let i = 0; i < changes.length; i += slice) views[0].applySlice(changes.slice(i, i + slice));
        for (const _ of views[0].merge() ?? []);
        assert.equal(views[0].merge(), undefined);
        for (const one of changes) views[1].apply([one]);
        assert.deepEqual([...views[0].compare(views[1])].filter(Boolean), []);
        assert.deepEqual([...views[1].compare(views[0])].filter(Boolean), []);
        for (const window of ['overall', 'monthly', 'daily'] as const) {
          const of = { board: 'players', window, date: dateOf(TODAY), offset: 0, limit: 200 } as const;
          assert.deepEqual(views[0].answer(range(of)), views[1].answer(range(of)));
        }
      }
    }),
    { numRuns: 80 },
  );
});

test('[rule 10] merging hands the turn back again and again', () => {
  const view = build();
  const games = (from: number) =>
    insert(...Array.from({ length: 60_000 }, (_, i) => game(from + i, { score: (i * 7919) % 10_007 })));
  for (const from of [1, 100_001]) {
    view.applySlice(games(from));
    let turns = 0;
    for (const _ of view.merge()!) turns++;
    assert.ok(turns >= 50, `${turns} turns`);
  }
});

const TRUNCATE: Change = { op: 'truncate', table: TABLE, before: null, after: null };
const overall = { board: 'games', window: 'overall' } as const;

function ids(view: MemoryLeaderboard, of: Parameters<typeof count>[0] = overall): unknown[] | undefined {
  const found = view.answer(top({ ...of, limit: 100 })) as { row: Row }[] | undefined;
  return found?.map(({ row }) => row.id);
}

test('ties go to the earlier game, then to the lower id', () => {
  const view = build();
  view.apply(
    insert(game(1, { score: 5, time: TODAY + 1 }), game(9, { score: 5 }), game(2, { score: 5 }), game(3, { score: 6 })),
  );
  assert.deepEqual(ids(view), [3, 2, 9, 1]);
});

test('[rule 7] a player whose best game goes is back on the board with the next best one', () => {
  const view = build();
  const players = { board: 'players', window: 'daily', date: dateOf(TODAY) } as const;
  view.apply(insert(game(1), game(2), game(3), game(4, { player: 'bob', score: 2 })));
  assert.deepEqual(ids(view, players), [3, 4]);
  view.apply([remove(3)]);
  assert.deepEqual(ids(view, players), [2, 4]);
  view.apply([update(game(2, { player: 'bob' }))]);
  assert.deepEqual(ids(view, players), [2, 1]);
});

test('[rule 6] an update without the old row, with a new key or with values left out, finds what it needs itself', () => {
  const view = build();
  view.apply(insert(game(1, { note: 'long', level: 7 })));
  view.apply([update(game(1, { score: 50, note: undefined, player: undefined }))]);
  assert.deepEqual(view.answer(history({ player: 'ann', limit: 9 })), [game(1, { score: 50, note: 'long' })]);
  view.apply([update(game(8, { score: 60, note: undefined }), { id: 1 })]);
  assert.deepEqual(view.answer(history({ player: 'ann', limit: 9 })), [game(8, { score: 60, note: 'long' })]);
});

test('[rule 6] [SPEC 5] a value that nobody knows is not guessed: the record answers until the row is whole', () => {
  const view = build();
  view.apply(insert(game(1)));
  view.apply([update(game(2, { player: undefined }))]);
  assert.equal(view.answer(count(overall)), undefined);
  view.apply([update(game(2))]);
  assert.deepEqual(ids(view), [2, 1]);
});

for (const [what, strange] of [
  ['an id beyond 2^53', { id: 2n ** 60n }],
  ['a score beyond 2^53', { id: 5, score: 2n ** 60n }],
  ['a score that is not a number', { id: 5, score: Number.NaN }],
  ['a time beyond the year 2255', { id: 5, time: 2 ** 60 }],
] as const) {
  test(`[SPEC 5] ${what}: the record answers for as long as the row is there`, () => {
    const view = build();
    const row = game(5, strange);
    view.apply(insert(game(1), row));
    assert.equal(view.answer(count(overall)), undefined);
    assert.equal(view.answer(history({ player: 'ann', limit: 1 })), undefined);
    view.apply([{ op: 'delete', table: TABLE, before: { id: row.id }, after: null }]);
    assert.deepEqual(ids(view), [1]);
    view.apply(insert(row));
    view.apply([TRUNCATE]);
    assert.deepEqual(ids(view), []);
  });

  test(`[SPEC 3] [SPEC 5] ${what}: loaded, it is as if it had been streamed, and is told of with what is expected`, async () => {
    const row = game(5, strange);
    const [streamed, loaded] = [build(), build()];
    streamed.apply(insert(game(1), row));
    loaded.load('test.games', [row, game(1)]);
    await loaded.loaded();
    assert.deepEqual([...streamed.compare(loaded)].filter(Boolean), []);
    for (const view of [streamed, loaded]) {
      assert.equal(view.answer(count(overall)), undefined);
      const told = `it cannot hold the row ${row.id} of test.games: the column `;
      assert.ok(view.stats().unheld?.startsWith(told), view.stats().unheld);
      assert.match(view.stats().unheld!, /; expected /);
      view.apply([{ op: 'delete', table: TABLE, before: { id: row.id }, after: null }]);
      assert.equal(view.stats().unheld, undefined);
      assert.deepEqual(ids(view), [1]);
    }
  });
}

test('[SPEC 5] [SPEC 7] of several rows that cannot be held one is told; what only one of two states lacks is drift', async () => {
  const [view, other] = [build(), build()];
  view.apply(insert(...[1, 2, 3].map((id) => game(id, { time: 2 ** 60 }))));
  other.load('test.games', [game(2, { time: 2 ** 60 }), game(3, { time: 2 ** 60 })]);
  await other.loaded();
  assert.match(view.stats().unheld!, /row 1 of test\.games, and 2 more: .* \+038504-.*; expected/);
  const what = 'rows of test.games that memory cannot hold';
  assert.deepEqual([...view.compare(other)].filter(Boolean), [{ what, inView: '1', inRecord: 'no more' }]);
});

test('[rule 8] a window that was let go of is answered by the record, also after a late row; a later empty one is empty', () => {
  const view = build();
  const day = (days: number) => ({ board: 'games', window: 'daily', date: dateOf(TODAY + days * DAY) }) as const;
  const month = (date: string) => ({ board: 'games', window: 'monthly', date }) as const;
  view.apply(insert(game(1, { time: TODAY - 20 * DAY }), game(2), game(3, { time: TODAY - 90 * DAY })));
  assert.deepEqual(ids(view, day(-20)), [1]);
  view.expire(TODAY);
  assert.equal(view.answer(count(day(-20))), undefined);
  assert.equal(view.answer(count(day(-9))), undefined);
  assert.equal(view.answer(count(day(-8))), 0);
  assert.deepEqual(ids(view, day(0)), [2]);
  assert.equal(view.answer(count(month('2026-08-22'))), undefined);
  assert.equal(view.answer(count(month('2026-09-30'))), 0);
  assert.deepEqual(ids(view, month('2026-10-01')), [1]);
  view.apply(insert(game(4, { time: TODAY - 20 * DAY }), game(5, { time: TODAY - 90 * DAY })));
  assert.equal(view.answer(count(day(-20))), undefined);
  assert.equal(view.answer(count(month('2026-08-22'))), undefined);
  assert.deepEqual(ids(view), [5, 4, 3, 2, 1]);
});

test('[rule 8] the floor survives TRUNCATE and a clock that goes back', () => {
  const view = build();
  view.expire(TODAY);
  view.apply([TRUNCATE]);
  view.expire(TODAY - 100 * DAY);
  view.apply(insert(game(1, { time: TODAY - 20 * DAY })));
  assert.equal(view.answer(count({ board: 'games', window: 'daily', date: dateOf(TODAY - 20 * DAY) })), undefined);
});

test('[SPEC 2] [rule 9] when apply returns, the whole transaction is on every board', () => {
  const view = build();
  const asked = (['games', 'players'] as const).flatMap((board) =>
    (['overall', 'monthly', 'daily'] as const).map((window) => ({ board, window, date: dateOf(TODAY) })),
  );
  assert.equal(view.apply([...insert(game(1), game(2, { player: 'bob' })), remove(1), ...insert(game(3))]), undefined);
  for (const of of asked) assert.deepEqual(ids(view, of), [3, 2]);
});

test('[rule 10] a build hands the turn back again and again', async () => {
  const view = build();
  for (let start = 0; start < 400_000; start += 1000) {
    const block = Array.from({ length: 1000 }, (_, i) =>
      game(start + i, { score: (i * 7919) % 1009, time: TODAY + i }),
    );
    view.load('test.games', block);
  }
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  await view.loaded();
  clearInterval(timer);
  assert.ok(turns >= 3, `turns of others: ${turns}`);
  assert.equal(view.answer(count(overall)), 400_000);
});

test('[rule 7] [SPEC 7] streamed equals rebuilt after the same expire calls, and differing floors are no drift', async () => {
  const rows = Array.from({ length: 300 }, (_, id) =>
    game(id, { time: TODAY - ((id * 37) % 120) * DAY, player: `p${id % 7}` }),
  );
  const streamed = buildSmall();
  streamed.apply(insert(...rows));
  streamed.expire(TODAY);
  const before = buildSmall();
  before.expire(TODAY);
  const after = buildSmall();
  for (const rebuilt of [before, after]) {
    rebuilt.load('test.games', rows);
    await rebuilt.loaded();
  }
  assert.deepEqual([...streamed.compare(after)].filter(Boolean), []);
  after.expire(TODAY);
  for (const rebuilt of [before, after]) {
    assert.deepEqual([...streamed.compare(rebuilt)].filter(Boolean), []);
    for (let days = -120; days < 2; days++) {
      for (const window of ['daily', 'monthly'] as const) {
        const asked = top({ board: 'players', window, date: dateOf(TODAY + days * DAY), limit: 9 });
        assert.deepEqual(rebuilt.answer(asked), streamed.answer(asked));
      }
    }
  }
});

test('[SPEC 7] compare goes on through expire and TRUNCATE in between', async () => {
  const rows = Array.from({ length: 9000 }, (_, id) => game(id, { time: TODAY - (id % 30) * DAY }));
  const [view, other] = [build(), build()];
  for (const state of [view, other]) {
    state.load('test.games', rows);
    await state.loaded();
  }
  let yields = 0;
  for (const drift of view.compare(other)) {
    assert.equal(drift, undefined);
    if (++yields === 12) view.expire(TODAY);
    if (yields === 20) for (const state of [view, other]) state.apply([TRUNCATE, ...insert(game(1))]);
  }
  assert.ok(yields > 20);
});

test('windows that are not declared are answered by the record', () => {
  const definition = leaderboard({ table: 'test.games', id: 'id', player: 'player', score: 'score', time: 'time' });
  const view = definition.build();
  view.apply(insert(game(1)), { xid: 1, lsn: 1 });
  assert.equal(view.answer(count(overall)), 1);
  assert.equal(view.answer(count({ board: 'games', window: 'daily', date: '2026-11-20' })), undefined);
});

test("[SPEC 9] queries that make no sense are the client's error, the same in memory as in SQL", async () => {
  const view = build();
  const definition = leaderboard({ table: 'test.games', id: 'id', player: 'player', score: 'score', time: 'time' });
  const reader = { query: () => assert.fail('reached the record') };
  for (const query of [
    top({ ...overall, limit: -1 }),
    top({ ...overall, limit: 1.5 }),
    top({ ...overall, limit: 1e9 }),
    range({ ...overall, offset: Number.NaN, limit: 1 }),
    standing({ ...overall, member: '7' }),
    standing({ ...overall, member: 7, around: -1 }),
    history({ player: 'ann', limit: Number.POSITIVE_INFINITY }),
    ...[undefined, '', '2026-02-30', '2026-2-3', '0000-01-01', '2026-13-01', '2026-11-20T00:00', "1' or '1"].map(
      (date) => count({ board: 'games', window: 'daily', date }),
    ),
  ]) {
    const isClients = { name: 'ClientError', status: 400 };
    assert.throws(() => view.answer(query), isClients);
    await assert.rejects(definition.answerFromRecord(reader, [query]), isClients);
  }
});

test('players may be integers', () => {
  const view = build();
  view.apply(insert(game(1, { player: 42 }), game(2, { player: -7 })));
  assert.deepEqual(view.answer(history({ player: '42', limit: 9 })), [game(1, { player: 42 })]);
  assert.deepEqual(view.answer(history({ player: '042', limit: 9 })), []);
  const found = view.answer(standing({ board: 'players', window: 'overall', member: -7 })) as { rank: number };
  assert.equal(found.rank, 1);
});

test("a name with a NUL, which PostgreSQL cannot hold, is nobody's", () => {
  const view = build();
  view.apply(insert(game(1, { player: 42 })));
  assert.deepEqual(view.answer(history({ player: '\0' + '42', limit: 9 })), []);
});

test('a wrong column does not compile', () => {
  interface Game {
    readonly id: number;
    readonly player: string;
    readonly score: number | null;
    readonly time: number;
  }
  const columns = { table: 'test.games', id: 'id', player: 'player', score: 'score', time: 'time' } as const;
  assert.equal(leaderboard<Game>(columns).kind, 'leaderboard');
  // @ts-expect-error: no such column
  leaderboard<Game>({ ...columns, id: 'game_id' });
  // @ts-expect-error: a score is a number
  assert.throws(() => leaderboard<Game>({ ...columns, score: 'player' }));
  assert.throws(() => leaderboard({ ...columns, keep: ['score'] }), /the column score is named twice/);
});
