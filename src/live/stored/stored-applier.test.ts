import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import type { Change, Transaction } from '../../changes/change.ts';
import { FakeLog } from '../../testing/fake-feed.ts';
import { until } from '../../testing/fake-follower.ts';
import { FakeState } from '../../testing/fake-view.ts';
import type { StoredState } from './state.ts';
import { StoredApplier, type StoredApplierOptions } from './stored-applier.ts';

/** A state whose writes take some turns, and which only has what was flushed. */
class SlowState implements StoredState {
  readonly tables = new Set(['fake.rows']);
  readonly fault = null;
  readonly rows = new FakeState();
  lsn = 1000;
  flushes = 0;
  refusal: Error | null = null;
  #gathered: Change[] = [];

  transaction({ changes }: Transaction): void {
    this.#gathered.push(...changes);
  }

  async flush(next: number): Promise<void> {
    const gathered = this.#gathered;
    this.#gathered = [];
    this.flushes++;
    for (let i = 0; i < 3; i++) await nextTurn();
    if (this.refusal) throw this.refusal;
    this.rows.apply(gathered);
    this.lsn = next;
  }

  begin(): void {}

  async slice(changes: readonly Change[]): Promise<void> {
    await nextTurn();
    this.rows.apply(changes);
  }

  async finish(next: number): Promise<void> {
    await nextTurn();
    this.lsn = next;
  }
}

function applierOf(log: FakeLog, options: Partial<StoredApplierOptions> = {}) {
  const state = new SlowState();
  const delivered: (number | string)[] = [];
  const acknowledged: number[] = [];
  let ended: Error | null = null;
  const applier = new StoredApplier({
    start: log.lsn,
    delivered: (_next, transactions) => {
      delivered.push(...transactions.map(({ lsn }) => lsn));
    },
    resync: (next) => delivered.push(`resync ${next}`),
    acknowledge: (lsn) => acknowledged.push(lsn),
    pause: () => {},
    resume: () => {},
    truncated: () => {},
    schemaChanged: () => {},
    ended: (error) => {
      ended = error;
    },
    ...options,
  });
  applier.add(state);
  return { applier, state, delivered, acknowledged, ended: () => ended };
}

const rowsOf = (log: FakeLog) => [...log.rows].sort(([a], [b]) => a - b).map(([id, value]) => `${id}=${value}`);

test('[SPEC 2] [SPEC 3] whatever comes: delivered in order, once, and only when every view has it', async () => {
  const writes = fc.array(fc.record({ id: fc.nat(5), value: fc.option(fc.nat(9)) }), { minLength: 1, maxLength: 6 });
  const step = fc.record({ writes, large: fc.boolean(), turns: fc.nat(4) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const log = new FakeLog();
      const session = log.open();
      const expected: (number | string)[] = [];
      const { applier, state, delivered, acknowledged } = applierOf(log, {
        acknowledge: (lsn) => {
          assert.ok(state.lsn >= lsn, 'acknowledged before it was written');
          acknowledged.push(lsn);
        },
      });
      await session.stream(log.lsn, applier);
      for (const { writes, large, turns } of steps) {
        const { lsn } = log.commit(writes, large);
        expected.push(large ? `resync ${lsn}` : lsn);
        while (session.step());
        for (let i = 0; i < turns; i++) await nextTurn();
      }
      await applier.settled();
      assert.deepEqual(delivered, expected);
      assert.deepEqual(state.rows.answer(), rowsOf(log));
      assert.equal(applier.lsn, log.lsn);
      applier.ended(new Error('the end'));
    }),
    { numRuns: 40 },
  );
});

test('what comes while a batch is written makes the next batch', async () => {
  const log = new FakeLog();
  const session = log.open();
  const { applier, state } = applierOf(log);
  await session.stream(log.lsn, applier);
  for (let i = 0; i < 50; i++) {
    log.commit([{ id: 1, value: i }]);
    session.step();
  }
  await nextTurn();
  log.commit([{ id: 1, value: 99 }]);
  session.step();
  await applier.settled();
  assert.equal(state.flushes, 2);
  applier.ended(new Error('the end'));
});

test('[SPEC 3] a state beside, and work between batches, see exactly what is delivered', async () => {
  const log = new FakeLog();
  const session = log.open();
  const { applier, state } = applierOf(log);
  await session.stream(log.lsn, applier);
  const beside = { lsn: log.lsn, rows: new FakeState(), ...{ begin() {}, merge: () => undefined, finish() {} } };
  const twin = {
    ...beside,
    transaction: ({ changes }: Transaction) => beside.rows.apply(changes),
    slice: (changes: readonly Change[]) => beside.rows.apply(changes),
  };
  assert.equal(applier.joinBeside(twin), true);
  for (let i = 0; i < 30; i++) {
    log.commit([{ id: i % 7, value: i }], i % 5 === 0);
    while (session.step());
    await applier.between(async () => {
      await nextTurn();
      assert.deepEqual(state.rows.answer(), beside.rows.answer());
      assert.equal(state.lsn, applier.lsn);
    });
  }
  applier.ended(new Error('the end'));
});

test('[SPEC 3] [rule 5] a store that refuses ends the stream; nothing of the refused batch is delivered or acknowledged', async () => {
  const log = new FakeLog();
  const session = log.open();
  const { applier, state, delivered, acknowledged, ended } = applierOf(log);
  await session.stream(log.lsn, applier);
  state.refusal = new Error('deposed');
  log.commit([{ id: 1, value: 1 }]);
  session.step();
  await until('the end', () => ended() !== null);
  assert.equal(ended()!.message, 'deposed');
  assert.deepEqual([delivered, acknowledged], [[], []]);
  await assert.rejects(applier.settled(), /deposed/);
  await assert.rejects(
    applier.between(async () => {}),
    /deposed/,
  );
});

test('[SPEC 8] the stream rests while too much waits', async () => {
  const log = new FakeLog();
  const session = log.open();
  const calls: string[] = [];
  const { applier } = applierOf(log, { pause: () => calls.push('pause'), resume: () => calls.push('resume') });
  await session.stream(log.lsn, applier);
  const many = Array.from({ length: 10_000 }, (_, id) => ({ id, value: 1 }));
  for (let i = 0; i < 6; i++) {
    log.commit(many);
    session.step();
  }
  assert.deepEqual(calls, ['pause']);
  await applier.settled();
  assert.deepEqual(calls, ['pause', 'resume']);
  applier.ended(new Error('the end'));
});

test('[SPEC 4] [rule 2] a log that moves on without a change is told at once to who waits', async () => {
  const log = new FakeLog();
  const session = log.open();
  const moved: number[] = [];
  const { applier } = applierOf(log, { delivered: (next) => moved.push(next) });
  await session.stream(log.lsn, applier);
  applier.progress(2000);
  for (let i = 0; i < 20; i++) await nextTurn();
  assert.deepEqual(moved, [], 'nobody waits');
  applier.want();
  applier.progress(3000);
  await until('it is told', () => moved.length > 0);
  assert.deepEqual(moved, [3000]);
  applier.ended(new Error('the end'));
});

test('[SPEC 7] what waits for its turn between two steps fails when the stream ends, also after another one has begun', async () => {
  const log = new FakeLog();
  const { applier } = applierOf(log);
  const first = Promise.withResolvers<void>();
  let begun = false;
  let ran = false;
  const running = applier.between(() => {
    begun = true;
    return first.promise;
  });
  const waiting = applier.between(async () => {
    ran = true;
  });
  await until('the first one has begun', () => begun);
  const later = applier.between(async () => {
    ran = true;
  });
  applier.ended(new Error('the stream ended'));
  await assert.rejects(waiting, /the stream ended/);
  await assert.rejects(later, /the stream ended/);
  first.resolve();
  await running;
  for (let turns = 0; turns < 5; turns++) await nextTurn();
  assert.equal(ran, false);
});
