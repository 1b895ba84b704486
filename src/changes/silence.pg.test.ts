import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import { type TestDatabase, testDatabase } from '../testing/database.ts';
import { type FaultProxy, faultProxy } from '../testing/fault-proxy.ts';
import { FeedRecorder, openTestFeed } from '../testing/feed-recorder.ts';
import { type FeedSession, RebuildNeeded } from './feed.ts';
import type { FeedOptions } from './open-feed.ts';
import { ensurePublication } from './publication.ts';
import { SqlSession } from './sql-session.ts';
import { leave } from './wire/answer.ts';
import { connect } from './wire/connect.ts';

// A server that is frozen, or a network that swallows everything: the connection stands, and nothing comes.

const sources = [{ table: 'public.items' }];

describe('a server that does not answer', { timeout: 60_000 }, () => {
  let database: TestDatabase;

  before(async () => {
    database = await testDatabase({ name: 'silence' });
    await database.record.query('create table public.items (id int primary key, n int)');
    await database.record.query('create table public.others (id int primary key, text text)');
    await ensurePublication(database.record, 'lockstep', ['public.items', 'public.others']);
  });

  /** A feed whose connections lead through a proxy. */
  async function proxied(t: TestContext, options: Partial<FeedOptions> = {}) {
    const proxy = await faultProxy(t, database.url);
    const open = () =>
      openTestFeed(database, { sources, sqlUrl: proxy.url, replicationUrl: proxy.url, answerMs: 300, ...options });
    return { proxy, open };
  }

  async function started(t: TestContext, options?: Partial<FeedOptions>): Promise<[FeedSession, FaultProxy]> {
    const { proxy, open } = await proxied(t, options);
    const session = await open();
    t.after(() => session.close());
    return [session, proxy];
  }

  test('[SPEC 5] a stream that does not start in time is a lost slot', async (t) => {
    const [session, proxy] = await started(t);
    void proxy.silenceOn('START_REPLICATION');
    await assert.rejects(
      session.stream(session.start, new FeedRecorder()),
      (error) => error instanceof RebuildNeeded && /did not answer within 300 ms/.test(error.message),
    );
  });

  test('a session that is closed while its stream starts says so at once', async (t) => {
    const [session, proxy] = await started(t, { answerMs: 3_600_000 });
    const silenced = proxy.silenceOn('START_REPLICATION');
    const streaming = session.stream(session.start, new FeedRecorder());
    streaming.catch(() => {});
    await silenced;
    await Promise.all([assert.rejects(streaming, /closed/), session.close()]);
  });

  test('a feed is not opened for ever, whatever the server leaves unanswered', async (t) => {
    const { proxy, open } = await proxied(t, { creationTimeoutMs: 300 });
    const questions = ['IDENTIFY_SYSTEM', 'pg_publication', 'CREATE_REPLICATION_SLOT', 'transaction snapshot'];
    for (const question of questions) {
      let isSilenced = false;
      proxy.silenceOn(question).then(() => {
        isSilenced = true;
      });
      // A transaction of another test may hold up the slot, so that the next question is not come to.
      while (!isSilenced) await assert.rejects(open(), /(did not answer|was not made) within \d00 ms/, question);
    }
    const session = await openTestFeed(database, { sources, sqlUrl: proxy.url, replicationUrl: proxy.url });
    await session.close();
  });

  test('[SPEC 8] a question that is not answered fails, and the next one goes another way', async (t) => {
    const { proxy } = await proxied(t);
    const session = new SqlSession({ url: proxy.url, answerMs: 300 });
    t.after(() => session.close());
    void proxy.silenceOn('the first');
    const first = session.ask("select 'the first' as answer");
    const second = session.ask("select 'the second' as answer");
    await assert.rejects(first, /did not answer within 300 ms/);
    assert.deepEqual(await second, [{ answer: 'the second' }]);
  });

  test('[SPEC 6] a server that streams what nobody here follows is not silent', async (t) => {
    const session = await openTestFeed(database, { sources });
    t.after(() => session.close());
    const recorder = new FeedRecorder();
    await session.stream(session.start, recorder);
    const heard = new Set<number>();
    const listening = setInterval(() => heard.add(session.heardAt), 1);
    await database.record.query(
      "insert into public.others select i, repeat('x', 200) from generate_series(1, 100000) i",
    );
    await recorder.until(({ calls }) => calls.length > 0);
    clearInterval(listening);
    assert.deepEqual(recorder.calls, ['transaction 0']);
    assert.ok(heard.size > 5, `heard ${heard.size} times in the transaction`);
    session.pause();
    assert.ok(performance.now() - session.heardAt < 10, 'who does not listen cannot say that it is silent');
  });

  test('the server answers in good time also where it has nothing to send, unless the URL says otherwise', async () => {
    const asked = async (url: string) => {
      const client = await connect({ url, replication: true });
      const { rows } = await client.query('show wal_sender_timeout');
      await leave(client);
      return rows[0].wal_sender_timeout;
    };
    assert.equal(await asked(database.url), '20s');
    assert.equal(await asked(`${database.url}&options=${encodeURIComponent('-c wal_sender_timeout=2s')}`), '2s');
  });
});
