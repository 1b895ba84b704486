import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Row } from '../../../record/value.ts';
import { FEED_CONTRACT, FEED_SHAPE, feedQuery, feedWrites, POSTS, written } from '../../../testing/feed-rows.ts';
import { viewContract } from '../../contract.ts';
import { modelAnswer } from '../../feed/model.ts';
import type { FeedQuery } from '../../feed/queries.ts';
import { MemoryFeed } from './feed.ts';

viewContract<FeedQuery>({
  ...FEED_CONTRACT,
  name: 'feed in memory',
  definition: { build: () => new MemoryFeed({ shape: FEED_SHAPE }) },
});

test('[rule 8] a feed that holds little answers as the whole one does, or leaves it to the record', async () => {
  let [asked, declined] = [0, 0];
  await fc.assert(
    fc.asyncProperty(feedWrites, feedWrites, fc.array(feedQuery, { minLength: 5 }), async (first, after, queries) => {
      const rows = new Map<number, Row>();
      written(rows, first);
      const small = () => new MemoryFeed({ shape: { ...FEED_SHAPE, hold: 8 } });
      const view = small();
      view.load(POSTS.name, [...rows.values()]);
      await view.loaded();
      view.apply(written(rows, after));
      const rebuilt = small();
      rebuilt.load(POSTS.name, [...rows.values()]);
      assert.deepEqual([...view.compare(rebuilt)].filter(Boolean), []);
      for (const each of queries) {
        const expected = modelAnswer(FEED_SHAPE, { entries: [...rows.values()], profiles: [] }, each);
        for (const answer of [view.answer(each), rebuilt.answer(each)]) {
          asked++;
          if (answer === undefined) declined++;
          else assert.deepEqual(answer, expected);
        }
      }
    }),
    { numRuns: 200 },
  );
  assert.ok(declined > 0 && declined < asked, `declined ${declined} of ${asked}`);
});
