import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import { type TestDatabase, testDatabase } from '../testing/database.ts';
import { type FaultProxy, faultProxy } from '../testing/fault-proxy.ts';
import { FeedRecorder, openTestFeed } from '../testing/feed-recorder.ts';
import { type FeedSession, RebuildNeeded } from './feed.ts';
import type { FeedOptions } from './open-feed.ts';
import { ensurePublication } from './publication.ts';

// A server that is frozen, or a network that swallows everything: the connection stands, and nothing comes.

const sources = [{ table: 'public.items' }];

describe('a server that does not answer', { timeout: 60_000 }, () => {
  let database: TestDatabase;

  before(async () => {
    database = await testDatabase({ name: 'silence' });
    await database.record.query('create table public.items (id int primary key, n int)');
    await ensurePublication(database.record, 'lockstep', ['public.items']);
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
});
