import { createClient } from 'redis';
import { type Boards, entryOf } from './boards.ts';
import type { NaiveOptions } from './variant.ts';

interface Scored {
  readonly value: string;
  readonly score: number;
}

/** The sorted sets through `redis`, which by itself sends at once what one turn of the event loop asks for. */
export async function redisBoards({ redisPath, commands }: NaiveOptions): Promise<Boards> {
  const redis = createClient({ socket: { path: redisPath, tls: false } });
  redis.on('error', (error) => console.error(error));
  await redis.connect();
  return {
    async add(keys, score, value) {
      if (commands === 'single') {
        await Promise.all(keys.map((key) => redis.zAdd(key, { score, value })));
        return;
      }
      const sent = redis.multi();
      for (const key of keys) sent.zAdd(key, { score, value });
      await (commands === 'multi' ? sent.exec() : sent.execAsPipeline());
    },
    async top(keys, limit) {
      const options = { REV: true } as const;
      if (commands === 'single') {
        const replies = await Promise.all(keys.map((key) => redis.zRangeWithScores(key, 0, limit - 1, options)));
        return replies.map(entries);
      }
      const sent = redis.multi();
      for (const key of keys) sent.zRangeWithScores(key, 0, limit - 1, options);
      const replies = await (commands === 'multi' ? sent.exec() : sent.execAsPipeline());
      return (replies as unknown as Scored[][]).map(entries);
    },
    async close() {
      await redis.close();
    },
  };
}

function entries(scored: readonly Scored[]) {
  return scored.map(({ value, score }) => entryOf(value, score));
}
