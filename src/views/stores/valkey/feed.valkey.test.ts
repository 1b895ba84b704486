import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { Row } from '../../../record/value.ts';
import { FEED_CONTRACT, FEED_SHAPE, feedQuery, feedWrites, POSTS, written } from '../../../testing/feed-rows.ts';
import { ScriptBucket, scriptClient } from '../../../testing/script-bucket.ts';
import { startValkey, type TestValkey, VALKEYS } from '../../../testing/valkey.ts';
import type { FeedAudit } from '../../feed/audit.ts';
import { feed } from '../../feed/feed.ts';
import { modelAnswer } from '../../feed/model.ts';
import { type FeedQuery, newest } from '../../feed/queries.ts';
import { storedContract } from '../../stored-contract.ts';
import { MemoryFeed } from '../memory/feed.ts';
import { StoredFeed } from './feed.ts';

const { shown: _, parent, ...shape } = FEED_SHAPE;
storedContract<FeedQuery>({
  ...FEED_CONTRACT,
  name: 'feed',
  definition: feed({ ...shape, ...(parent && { parent }) } as Parameters<typeof feed>[0]),
  servers: VALKEYS,
  runs: 60,
});

let server: TestValkey;
let client: Awaited<ReturnType<typeof scriptClient>>;
before(async () => {
  server = await startValkey();
  client = await scriptClient(server.url);
});
after(async () => {
  client.destroy();
  await server.stop();
});

/** A feed in a bucket of its own, loaded with rows. */
async function bucketOf(kind: StoredFeed, rows: Iterable<Row>) {
  const bucket = new ScriptBucket(client, kind.script);
  await bucket.apply([...kind.load(POSTS.name, [...rows])].map(({ operation }) => operation));
  const answer = async (query: FeedQuery | FeedAudit) => kind.answer(query, await bucket.read(kind.read(query)));
  return { bucket, answer };
}

test('[rule 8] a feed in a store that holds little answers as the whole one does, or leaves it to the record', async () => {
  let [asked, declined] = [0, 0];
  const queries = fc.array(feedQuery, { minLength: 5 });
  await fc.assert(
    fc.asyncProperty(feedWrites, feedWrites, queries, fc.boolean(), async (first, after, queries, twice) => {
      const small = { ...FEED_SHAPE, hold: 8 };
      const kind = new StoredFeed({ shape: small });
      const rows = new Map<number, Row>();
      written(rows, first);
      const { bucket, answer } = await bucketOf(kind, rows.values());
      const operations = [...kind.changes(written(rows, after))].map(({ operation }) => operation);
      for (let times = twice ? 2 : 1; times > 0; times--) await bucket.apply(operations);
      const twin = new MemoryFeed({ shape: small });
      twin.load(POSTS.name, [...rows.values()]);
      for (const query of kind.audit(twin)) {
        const [inView, inRecord] = [await answer(query), twin.answer(query)];
        if (inView !== undefined && inRecord !== undefined) assert.deepEqual(inView, inRecord);
      }
      for (const query of queries) {
        const found = await answer(query);
        asked++;
        if (found === undefined) declined++;
        else assert.deepEqual(found, modelAnswer(small, { entries: [...rows.values()], profiles: [] }, query));
      }
    }),
    { numRuns: 150 },
  );
  assert.ok(declined > 0 && declined < asked, `declined ${declined} of ${asked}`);
});

test('[SPEC 3] ids beyond 2^53, below 0, and times that are infinite', async () => {
  const kind = new StoredFeed({ shape: FEED_SHAPE });
  const post = { author: null, parent: null, text: 'Zürich \u{1f600}\n\0', likes: 0 };
  const rows = [-5, 3, 2n ** 60n, 2n ** 60n + 1n, -(2n ** 63n)].map((id) => ({ ...post, id, expires: null }));
  const ends = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((expires, id) => ({ ...post, id, expires }));
  const { answer } = await bucketOf(kind, [...rows, ...ends]);
  const entries = (await answer(newest({ limit: 10, now: 0 }))) as { row: Row }[];
  assert.deepEqual(
    entries.map(({ row }) => row.id),
    [2n ** 60n + 1n, 2n ** 60n, 3, 0, -5, -(2n ** 63n)],
  );
  assert.equal(entries[0]!.row.text, post.text);
});
