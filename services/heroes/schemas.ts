import { Type } from '../../src/index.ts';
import { INTEGER } from './hero.ts';

/** What the routes take and give, with examples: shown at `/docs`. What is sent is checked by the handlers, which say more. */

export const TAGS = ['heroes'];

const TEXT = (example: string) => Type.String({ examples: [example], description: 'At most 20 characters' });

const FIELDS = {
  hero: TEXT('yes'),
  power: TEXT('fire'),
  name: TEXT('fireman'),
  xp: Type.Integer({ examples: [10], description: 'As a number or as digits' }),
  color: TEXT('red'),
};

export const Problem = Type.Object({ message: Type.String({ description: 'What is wrong, and what to do' }) });

export const Hero = Type.Object({ id: Type.Integer({ examples: [1] }), ...FIELDS });

export const Heroes = Type.Array(Hero);

export const IdPath = Type.Object({ id: Type.String({ pattern: '^-?[0-9]{1,10}$', examples: ['1'] }) });

const CACHE = Type.Optional(
  Type.Boolean({
    description: 'false: reads go to the record; writes do not put the row into the cache',
    default: true,
  }),
);

export const CacheQuery = Type.Object({ cache: CACHE });

export const WriteHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      description: 'A name for this write, such as a UUID: sent again within a day, it is not done again',
    }),
  ),
});

export const IdsQuery = Type.Object({
  ids: Type.Optional(
    Type.String({
      description: 'Ids in the order wanted, at most 1000; without it the page is shown',
      examples: ['1,2,3'],
    }),
  ),
  cache: CACHE,
});

export const ListQuery = Type.Object({
  after: Type.Optional(
    Type.Integer({
      minimum: INTEGER.min - 1,
      maximum: INTEGER.max,
      description: 'Heroes with a higher id than this',
      examples: [0],
    }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
});

export const Imported = Type.Object({
  heroes: Type.Integer({ examples: [1_000_000] }),
  seconds: Type.Number({ examples: [3.2] }),
});

const Percentiles = Type.Object({
  count: Type.Integer(),
  total: Type.Number({ description: 'All of them together' }),
  p50: Type.Union([Type.Number(), Type.Null()]),
  p90: Type.Union([Type.Number(), Type.Null()]),
  p99: Type.Union([Type.Number(), Type.Null()]),
});

export const Cache = Type.Object({
  hits: Type.Integer({ description: 'Rows asked for that were held' }),
  misses: Type.Integer({ description: 'Rows asked for that were not' }),
  hitRatio: Type.Union([Type.Number(), Type.Null()], { examples: [0.97] }),
  queries: Type.Integer({ description: 'Statements sent to the record, for misses and for reads without the cache' }),
  rows: Type.Integer({ description: 'Rows, and ids known to have none, that are held' }),
  bytes: Type.Integer(),
  maxBytes: Type.Integer(),
  evictions: Type.Integer(),
  expirations: Type.Integer(),
  refusals: Type.Integer({ description: 'Rows read that were older than a change already applied, and read again' }),
  eviction: Type.String({ examples: ['lru'] }),
  ttlSeconds: Type.Union([Type.Number(), Type.Null()], { description: 'null: rows stay', examples: [600] }),
  latency: Type.Object(
    { cached: Percentiles, filled: Percentiles, uncached: Percentiles },
    { description: 'Milliseconds in the server: from the cache; with a query for what it lacked; without it' },
  ),
});
