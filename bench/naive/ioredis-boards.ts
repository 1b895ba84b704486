import { Redis } from 'ioredis';
import { type Boards, type Entry, entryOf } from './boards.ts';
import type { NaiveOptions } from './variant.ts';

/** The sorted sets through `ioredis`. */
export function ioredisBoards({ redisPath, commands }: NaiveOptions): Boards {
  // Its own way to send what one turn of the event loop asks for at once.
  const redis = new Redis({ path: redisPath, enableAutoPipelining: commands === 'single' });
  const batch = () => (commands === 'multi' ? redis.multi() : redis.pipeline());
  return {
    async add(keys, score, member) {
      if (commands === 'single') {
        await Promise.all(keys.map((key) => redis.zadd(key, score, member)));
        return;
      }
      const sent = batch();
      for (const key of keys) sent.zadd(key, score, member);
      failOnError(await sent.exec());
    },
    async top(keys, limit) {
      if (commands === 'single') {
        return (await Promise.all(keys.map((key) => redis.zrevrange(key, 0, limit - 1, 'WITHSCORES')))).map(entries);
      }
      const sent = batch();
      for (const key of keys) sent.zrevrange(key, 0, limit - 1, 'WITHSCORES');
      return failOnError(await sent.exec()).map((reply) => entries(reply as string[]));
    },
    async close() {
      await redis.quit();
    },
  };
}

function failOnError(replies: [Error | null, unknown][] | null): unknown[] {
  return (replies ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}

/** Members and scores by turns. */
function entries(flat: readonly string[]): Entry[] {
  const found: Entry[] = [];
  for (let i = 0; i < flat.length; i += 2) found.push(entryOf(flat[i]!, Number(flat[i + 1])));
  return found;
}
