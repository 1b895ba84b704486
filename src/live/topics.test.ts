import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Change, Transaction } from '../changes/change.ts';
import { parsePosition } from '../changes/position.ts';
import { ClientError } from '../record/errors.ts';
import { FakeLog } from '../testing/fake-feed.ts';
import type { EventTopic, StateTopic, TopicUser } from './live.ts';
import { TopicHub } from './topic-hub.ts';
import type { EncodedMessage } from './topics.ts';

/** A hub on a fake log: each commit is published at once. */
function hub() {
  const log = new FakeLog();
  let epoch = 'e';
  const topics = new TopicHub({ position: () => ({ epoch, lsn: log.lsn }) });
  /** A standby is promoted that had less of the log. */
  const failOver = (lsn: number) => {
    [epoch, log.lsn] = ['f', lsn];
    topics.resync();
  };
  const commit = (id: number, value: number | null): Transaction => {
    const transaction = log.commit([{ id, value }]);
    topics.transaction(transaction);
    return transaction;
  };
  return { log, topics, commit, failOver };
}

/** Collects what is delivered, as `event position data`. */
function collector(user: TopicUser | null = null) {
  const got: string[] = [];
  const raw: EncodedMessage[] = [];
  const deliver = (message: EncodedMessage) => {
    raw.push(message);
    got.push(`${message.event} ${parsePosition(message.position)!.lsn} ${message.data}`);
  };
  return { got, raw, options: { user, deliver } };
}

function* eventsOf(change: Change) {
  if (change.after) yield { key: String(change.after.id), data: change.after.value };
}

const events: EventTopic = { type: 'events', events: eventsOf };

function states(log: FakeLog): StateTopic {
  return {
    type: 'state',
    everyMs: 1,
    *touchedBy(change, keys) {
      const key = String((change.after ?? change.before)?.id);
      if (keys.has(key)) yield key;
    },
    read: async (key) => ({
      results: log.rows.get(Number(key)) ?? null,
      position: { epoch: 'e', lsn: log.lsn },
      source: 'view',
    }),
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(1);
}

test('[rule 20] events reach the key they are of, in commit order, from now on, each naming the one before', async () => {
  const { topics, commit } = hub();
  topics.add('s', { rows: events });
  const { got, raw, options } = collector();
  commit(1, 1);
  const subscription = await topics.subscribe('s/rows/1', options);
  commit(1, 2);
  commit(2, 9);
  commit(1, 3);
  assert.deepEqual(got, ['event 1020 [2]', 'event 1040 [3]']);
  assert.equal(raw[1]!.previous, raw[0]!.position);
  subscription.unsubscribe();
  commit(1, 4);
  assert.equal(got.length, 2);
  assert.equal(topics.subscribers, 0);
});

test('[SPEC 3] a subscriber that resumes gets exactly what it missed', async () => {
  const { topics, commit } = hub();
  topics.add('s', { rows: events });
  topics.resync();
  const first = collector();
  const subscription = await topics.subscribe('s/rows/1', first.options);
  commit(1, 1);
  subscription.unsubscribe();
  commit(1, 2);
  commit(1, 3);
  const second = collector();
  const from = parsePosition(first.raw[0]!.position)!;
  await topics.subscribe('s/rows/1', { ...second.options, from });
  commit(1, 4);
  assert.deepEqual(second.got, ['event 1020 [2]', 'event 1030 [3]', 'event 1040 [4]']);
});

test('a signal reaches those who are there, and is not kept; what was authorised is asked again', async () => {
  const { topics, commit } = hub();
  let allowed = true;
  topics.add('s', { rows: { ...events, authorize: () => allowed } });
  topics.resync();
  const there = collector();
  await topics.subscribe('s/rows/1', there.options);
  commit(1, 1);
  topics.signal('s/rows', '1', ['typing']);
  topics.signal('s/rows', '2', ['to nobody']);
  assert.deepEqual(there.got, ['event 1010 [1]', 'signal 1010 ["typing"]']);
  const late = collector();
  await topics.subscribe('s/rows/1', { ...late.options, from: { epoch: 'e', lsn: 1000 } });
  assert.deepEqual(late.got, ['event 1010 [1]'], 'a signal is not resumed');
  allowed = false;
  topics.signal('s/rows', '1', ['secret']);
  assert.equal(there.got.length, 2);
  assert.throws(() => topics.signal('s/none', '1', []), /no topic of events/);
});

test('[SPEC 8] [rule 20] a position too far back, of another epoch, or before a rebuild is answered with a resync', async () => {
  const { log, topics, commit } = hub();
  topics.add('s', { rows: { ...events, keepBytes: 1000 } });
  const start = { epoch: 'e', lsn: log.lsn };
  topics.resync();
  for (let i = 0; i < 20; i++) commit(1, i);
  const late = collector();
  await topics.subscribe('s/rows/1', { ...late.options, from: start });
  assert.deepEqual(late.got, ['resync 1200 null']);
  const other = collector();
  await topics.subscribe('s/rows/1', { ...other.options, from: { epoch: 'f', lsn: log.lsn } });
  assert.deepEqual(other.got, ['resync 1200 null']);
  topics.resync();
  assert.deepEqual(late.got.at(-1), 'resync 1200 null', 'those connected are told too');
});

test('[SPEC 3] [rule 1] after a failover no event is missed, however far the log had come before it', async () => {
  const { log, topics, commit, failOver } = hub();
  topics.add('s', { rows: events });
  topics.resync();
  const [connected, back] = [collector(), collector()];
  const from = { epoch: 'e', lsn: log.lsn };
  await topics.subscribe('s/rows/1', { ...connected.options, from });
  failOver(500);
  await topics.subscribe('s/rows/1', { ...back.options, from });
  commit(1, 1);
  for (const { got } of [connected, back]) assert.deepEqual(got, ['resync 500 null', 'event 510 [1]']);
});

test('[SPEC 3] [rule 1] a state that was read before a failover does not come after those of the new log', async () => {
  const { log, topics, commit, failOver } = hub();
  const state = states(log);
  const slow = Promise.withResolvers<void>();
  let reads = 0;
  const read: StateTopic['read'] = async (key) => {
    const answer = await state.read(key);
    if (reads++ === 0) await slow.promise;
    return answer;
  };
  topics.add('s', { row: { ...state, read } });
  log.rows.set(1, 0);
  commit(1, 1);
  const { got, options } = collector();
  const subscribing = topics.subscribe('s/row/1', options);
  log.rows.set(1, 0); // the standby had not got so far
  failOver(500);
  await until(() => got.length === 1);
  slow.resolve();
  await subscribing;
  assert.deepEqual(got, ['state 500 0']);
  commit(1, 2);
  await until(() => got.length === 2);
  assert.deepEqual(got[1], 'state 510 2');
  topics.close();
});

test('[SPEC 3] [SPEC 8] a topic that is kept while it is followed costs nothing once it is not, and who resumes then starts anew', async () => {
  const log = new FakeLog();
  let now = 0;
  const topics = new TopicHub({ position: () => ({ epoch: 'e', lsn: log.lsn }), now: () => now });
  let asked = 0;
  topics.add('s', {
    rows: {
      ...events,
      whileFollowed: true,
      events(change) {
        asked++;
        return eventsOf(change);
      },
    },
  });
  const commit = (value: number) => topics.transaction(log.commit([{ id: 1, value }]));
  commit(1);
  assert.equal(asked, 0, 'nobody ever came');
  const first = collector();
  const { unsubscribe } = await topics.subscribe('s/rows/1', { ...first.options, from: { epoch: 'e', lsn: 1000 } });
  commit(2);
  assert.deepEqual(first.got, ['resync 1010 null', 'event 1020 [2]']);
  unsubscribe();
  now += 59_000;
  commit(3);
  const second = collector();
  const again = await topics.subscribe('s/rows/1', { ...second.options, from: { epoch: 'e', lsn: 1020 } });
  commit(4);
  assert.deepEqual(second.got, ['event 1030 [3]', 'event 1040 [4]'], 'back within the minute: nothing is missed');
  again.unsubscribe();
  now += 61_000;
  commit(5);
  assert.equal(asked, 3);
  const third = collector();
  await topics.subscribe('s/rows/1', { ...third.options, from: { epoch: 'e', lsn: 1040 } });
  commit(6);
  assert.deepEqual(third.got, ['resync 1050 null', 'event 1060 [6]']);
  const fourth = collector();
  await topics.subscribe('s/rows/1', { ...fourth.options, from: { epoch: 'e', lsn: 1050 } });
  assert.deepEqual(fourth.got, ['event 1060 [6]'], 'nothing lies between');
});

const user = (username: string): TopicUser => ({ sub: username, username, roles: [] });

/** Lets in who is in the set. */
function guard() {
  const allowed = new Set(['ann', 'cid']);
  return { allowed, authorize: (_key: string, user: TopicUser | null) => user !== null && allowed.has(user.username) };
}

test('[SPEC 9] [rule 3] an event topic asks for each message whether the user may have it, and again on resuming', async () => {
  const { topics, commit } = hub();
  const { allowed, authorize } = guard();
  topics.add('s', { rows: { ...events, authorize } });
  await assert.rejects(topics.subscribe('s/rows/1', collector().options), { status: 401 });
  await assert.rejects(topics.subscribe('s/rows/1', collector(user('bob')).options), { status: 403 });
  const ann = collector(user('ann'));
  await topics.subscribe('s/rows/1', ann.options);
  commit(1, 1);
  allowed.delete('ann');
  commit(1, 2);
  assert.deepEqual(ann.got, ['event 1010 [1]']);
  const from = parsePosition(ann.raw[0]!.position)!;
  await assert.rejects(topics.subscribe('s/rows/1', { ...ann.options, from }), { status: 403 });
  assert.equal(ann.got.length, 1);
});

test('[SPEC 9] [rule 3] a state topic asks for each message whether the user may have it', async () => {
  const { log, topics, commit } = hub();
  const { allowed, authorize } = guard();
  topics.add('s', { row: { ...states(log), authorize } });
  await assert.rejects(topics.subscribe('s/row/1', collector().options), { status: 401 });
  await assert.rejects(topics.subscribe('s/row/1', collector(user('bob')).options), { status: 403 });
  const [ann, cid] = [collector(user('ann')), collector(user('cid'))];
  for (const { options } of [ann, cid]) await topics.subscribe('s/row/1', options);
  allowed.delete('ann');
  commit(1, 2);
  await until(() => cid.got.length === 2);
  assert.deepEqual(ann.got, ['state 1000 null']);
  topics.close();
});

test('a state topic sends the state at once, and again when it has changed', async () => {
  const { log, topics, commit } = hub();
  topics.add('s', { row: states(log) });
  commit(1, 1);
  const { got, options } = collector();
  await topics.subscribe('s/row/1', options);
  assert.deepEqual(got, ['state 1010 1']);
  commit(2, 5);
  commit(1, 1); // does not show
  commit(1, 2);
  await until(() => got.length === 2);
  assert.deepEqual(got[1], 'state 1040 2');
  topics.close();
});

test('a state topic brings every follower to the newest state, whenever each came', async () => {
  const { log, topics, commit } = hub();
  topics.add('s', { row: states(log) });
  const all: ReturnType<typeof collector>[] = [];
  for (let i = 0; i < 30; i++) {
    commit(1, i % 2);
    const follower = collector();
    all.push(follower);
    await topics.subscribe('s/row/1', follower.options);
    if (i % 7 === 0) await sleep(2);
  }
  commit(1, 77);
  await until(() => all.every(({ got }) => got.at(-1)?.endsWith(' 77')));
  for (const { raw } of all) {
    const lsns = raw.map(({ position }) => parsePosition(position)!.lsn);
    assert.deepEqual(
      lsns,
      lsns.toSorted((a, b) => a - b),
      'never back in time',
    );
  }
  topics.close();
});

test('a topic that throws starts its subscribers anew, and takes nobody else with it', async () => {
  const log = new FakeLog();
  const failures: unknown[] = [];
  const failed = (topic: string, error: unknown) => failures.push(topic, (error as Error).message);
  const topics = new TopicHub({ position: () => ({ epoch: 'e', lsn: log.lsn }), failed });
  const odd: EventTopic = {
    type: 'events',
    *events(change) {
      yield* eventsOf(change);
      if (change.after?.value === 13) throw new Error('thirteen');
    },
  };
  topics.add('s', { odd, rows: events });
  const [at, others] = [collector(), collector()];
  await topics.subscribe('s/odd/1', at.options);
  await topics.subscribe('s/rows/1', others.options);
  for (const value of [1, 13, 2]) topics.transaction(log.commit([{ id: 1, value }]));
  assert.deepEqual(at.got, ['event 1010 [1]', 'resync 1020 null', 'event 1030 [2]']);
  assert.deepEqual(others.got, ['event 1010 [1]', 'event 1020 [13]', 'event 1030 [2]']);
  assert.deepEqual(failures, ['s/odd', 'thirteen']);
});

test('[SPEC 2] events that have to be asked for come in commit order, and what failed starts the subscribers anew', async () => {
  const log = new FakeLog();
  const failures: unknown[] = [];
  const failed = (topic: string, error: unknown) => failures.push(topic, (error as Error).message);
  const topics = new TopicHub({ position: () => ({ epoch: 'e', lsn: log.lsn }), failed });
  const asked: PromiseWithResolvers<void>[] = [];
  const late: EventTopic = {
    type: 'events',
    // Every other value is known at once.
    events(change) {
      if ((change.after?.value as number) % 2 === 0) return eventsOf(change);
      asked.push(Promise.withResolvers<void>());
      return asked.at(-1)!.promise.then(() => eventsOf(change));
    },
  };
  topics.add('s', { late });
  const [first, second] = [collector(), collector()];
  await topics.subscribe('s/late/1', first.options);
  const commit = (value: number) => topics.transaction(log.commit([{ id: 1, value }]));
  for (const value of [1, 2, 3, 4]) commit(value);
  asked[1]!.resolve();
  await sleep(1);
  assert.deepEqual(first.got, []);
  // It has everything up to the second transaction already, from a read.
  await topics.subscribe('s/late/1', { ...second.options, from: { epoch: 'e', lsn: 1020 } });
  asked[0]!.resolve();
  await sleep(1);
  assert.deepEqual(first.got, ['event 1010 [1]', 'event 1020 [2]', 'event 1030 [3]', 'event 1040 [4]']);
  assert.deepEqual(second.got, first.got.slice(2));
  commit(5);
  commit(6);
  asked[2]!.reject(new Error('away'));
  await sleep(1);
  assert.deepEqual(first.got.slice(4), ['resync 1060 null']);
  assert.deepEqual(failures, ['s/late', 'away']);
  commit(7);
  topics.resync();
  asked[3]!.resolve();
  await sleep(1);
  commit(8);
  assert.deepEqual(first.got.slice(5), ['resync 1070 null', 'event 1080 [8]']);
});

test('a topic that is none is refused with the names of those there are', async () => {
  const { topics } = hub();
  topics.add('s', { rows: events });
  await assert.rejects(topics.subscribe('s/nothing/1', collector().options), {
    status: 404,
    message: /s\/rows\/<key>/,
  });
  await assert.rejects(topics.subscribe('', collector().options), { status: 404 });
});

test('[SPEC 2] listeners hear each transaction in order, and of a resync, until they leave', () => {
  const { topics, commit } = hub();
  const heard: unknown[] = [];
  const leave = topics.follow({
    transaction: ({ changes }) => heard.push(changes[0]!.after?.value),
    resync: () => heard.push('resync'),
  });
  commit(1, 10);
  commit(1, 11);
  topics.resync();
  topics.transaction({ xid: 1, lsn: 1, committedAt: 0, changes: [] });
  commit(2, 12);
  leave();
  commit(2, 13);
  assert.deepEqual(heard, [10, 11, 'resync', 12]);
});

test('a listener that throws is told to start anew, and takes nobody else with it', async () => {
  const log = new FakeLog();
  const failures: string[] = [];
  const failed = (_name: string, error: unknown) => failures.push((error as Error).message);
  const topics = new TopicHub({ position: () => ({ epoch: 'e', lsn: log.lsn }), failed });
  topics.add('s', { rows: events });
  const heard: unknown[] = [];
  topics.follow({
    transaction({ changes }) {
      heard.push(changes[0]!.after?.value);
      if (changes[0]!.after?.value === 13) throw new Error('thirteen');
    },
    resync() {
      heard.push('resync');
      throw new Error('not even that');
    },
  });
  const at = collector();
  await topics.subscribe('s/rows/1', at.options);
  for (const value of [1, 13, 2]) topics.transaction(log.commit([{ id: 1, value }]));
  topics.resync();
  assert.deepEqual(heard, [1, 13, 'resync', 2, 'resync']);
  assert.deepEqual(at.got, ['event 1010 [1]', 'event 1020 [13]', 'event 1030 [2]', 'resync 1030 null']);
  assert.deepEqual(failures, ['thirteen', 'not even that', 'not even that']);
});

test('a topic of signals runs while somebody follows its key, and only then', async () => {
  const { topics } = hub();
  const running = new Map<string, (data: unknown) => void>();
  const allowed = new Set(['ann', 'bob']);
  topics.add('sample', {
    now: {
      type: 'signals',
      authorize: (_key, user) => user !== null && allowed.has(user.username),
      watch(key, send) {
        if (key === 'bad') throw new ClientError(404, 'There is no such key.');
        assert.ok(!running.has(key), 'one watch for all followers');
        running.set(key, send);
        return () => void running.delete(key);
      },
    },
  });
  const [ann, bob] = ['ann', 'bob'].map((username) => collector({ sub: username, username, roles: [] }));
  await assert.rejects(topics.subscribe('sample/now/a', collector().options), { status: 401 });
  await assert.rejects(topics.subscribe('sample/now/bad', ann!.options), { status: 404 });
  assert.equal(topics.subscribers, 0);
  assert.equal(running.size, 0);
  const first = await topics.subscribe('sample/now/a', ann!.options);
  const second = await topics.subscribe('sample/now/a', bob!.options);
  running.get('a')!(1);
  allowed.delete('bob');
  running.get('a')!(2);
  assert.deepEqual(ann!.got, ['signal 1000 1', 'signal 1000 2']);
  assert.deepEqual(bob!.got, ['signal 1000 1']);
  first.unsubscribe();
  assert.equal(running.size, 1);
  second.unsubscribe();
  assert.equal(running.size, 0);
  await topics.subscribe('sample/now/a', ann!.options);
  topics.close();
  assert.equal(running.size, 0);
});
