// What Lockstep's heroes are compared with, as a process: prints `listening PORT`, ends at SIGTERM.
import type { AddressInfo } from 'node:net';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import Fastify, { type FastifyInstance } from 'fastify';
import { Redis } from 'ioredis';
import pg from 'pg';

export interface RivalOptions {
  readonly kind: 'cache-aside' | 'bentocache' | 'ceiling';
  readonly databaseUrl: string;
  readonly redisPath: string;
  /** Of the ceiling's answer. */
  readonly answerBytes: number;
}

interface Hero {
  readonly id: number;
}

type Read = (ids: readonly number[]) => Promise<readonly (Hero | undefined)[]>;

const { kind, databaseUrl, redisPath, answerBytes } = JSON.parse(process.env.RIVAL!) as RivalOptions;
const TTL_SECONDS = 600;
const POOL_SIZE = 24;
const QUERY = {
  name: 'read',
  text: 'select id, hero, power, name, xp, color from heroes where id = any($1::integer[])',
};
const HERO = {
  type: 'object',
  properties: {
    ...{ id: { type: 'integer' }, hero: { type: 'string' }, power: { type: 'string' }, name: { type: 'string' } },
    ...{ xp: { type: 'integer' }, color: { type: 'string' } },
  },
};

let queries = 0;

function fromDatabase(pool: pg.Pool): Read {
  return async (ids) => {
    queries++;
    const { rows } = await pool.query<Hero>({ ...QUERY, values: [ids] });
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id));
  };
}

/** Redis first; what is not there from the database, and then into Redis. A change in between stays stale until it runs out. */
function cacheAside(database: Read): Read {
  const redis = new Redis({ path: redisPath, enableAutoPipelining: true });
  return async (ids) => {
    const cached = await redis.mget(ids.map((id) => `hero:${id}`));
    const found = cached.map((text) => (text === null ? undefined : (JSON.parse(text) as Hero)));
    const missing = ids.filter((_, i) => !found[i]);
    if (missing.length === 0) return found;
    const loaded = await database(missing);
    const pipeline = redis.pipeline();
    for (const hero of loaded) if (hero) pipeline.set(`hero:${hero.id}`, JSON.stringify(hero), 'EX', TTL_SECONDS);
    await pipeline.exec();
    const byId = new Map(loaded.map((hero) => [hero?.id, hero]));
    return ids.map((id, i) => found[i] ?? byId.get(id));
  };
}

/** Its memory layer alone, which is its fastest. */
function bento(database: Read): Read {
  const heroes = bentostore().useL1Layer(memoryDriver({ maxItems: 100_000 }));
  const cache = new BentoCache({ default: 'heroes', stores: { heroes } });
  const one = (id: number) =>
    cache.getOrSet({ key: String(id), ttl: `${TTL_SECONDS}s`, factory: async () => (await database([id]))[0] });
  return (ids) => Promise.all(ids.map(one));
}

function serveReads(app: FastifyInstance): void {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: POOL_SIZE });
  pool.on('error', (error) => console.error(error));
  const database = fromDatabase(pool);
  const cached = kind === 'bentocache' ? bento(database) : cacheAside(database);
  app.get<{ Querystring: { ids: string; cache?: string } }>(
    '/heroes',
    { schema: { response: { 200: { type: 'array', items: HERO } } } },
    async ({ query }, reply) => {
      const read = query.cache === 'false' ? database : cached;
      const heroes = await read(query.ids.split(',').map(Number));
      return heroes.every(Boolean) ? heroes : reply.code(404).send({ message: 'no such hero' });
    },
  );
  app.get('/queries', () => ({ queries }));
}

const app = Fastify();
const answer = Buffer.alloc(answerBytes, ' ');
if (kind !== 'ceiling') serveReads(app);
else
  app.get('/heroes', (_request, reply) => reply.header('content-type', 'application/json; charset=utf-8').send(answer));
await app.listen({ port: 0, host: '127.0.0.1' });
console.log(`listening ${(app.server.address() as AddressInfo).port}`);
process.once('SIGTERM', () => process.exit(0));
