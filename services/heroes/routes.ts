import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { idempotencyKey, rows, type ServiceContext, sendWritten, type Written } from '../../src/index.ts';
import { cacheRoute } from './cache-route.ts';
import { answerOrderError, bad, isOrder, MAX_BYTES, MAX_ROWS, newHeroOf, readOrder } from './envelope.ts';
import { FIELDS, found, type Hero, INTEGER, readChanges, readHero, readId, readIds } from './hero.ts';
import { importRoute } from './import-route.ts';
import { Reads } from './reads.ts';
import * as schemas from './schemas.ts';
import type { views } from './views.ts';
import { Writes } from './writes.ts';

export interface Parts extends ServiceContext<typeof views> {
  readonly reads: Reads;
  readonly writes: Writes;
}

export function routes(app: FastifyInstance, context: ServiceContext<typeof views>): void {
  const parts = { ...context, reads: new Reads(context), writes: new Writes(context) };
  postRoute(app, parts);
  readRoutes(app, parts);
  listRoute(app, parts);
  changeRoutes(app, parts);
  app.register(async (scope) => importRoute(scope, parts));
  cacheRoute(app, parts);
}

/** Both requests of the contract, and heroes to be created: told apart by their bodies. */
function postRoute(app: FastifyInstance, parts: Parts): void {
  app.post<{ Querystring: { cache?: boolean } }>(
    '/',
    {
      bodyLimit: MAX_BYTES,
      errorHandler: answerOrderError,
      schema: {
        tags: schemas.TAGS,
        summary: 'Read or write heroes in one request, or create heroes',
        description:
          '{"USE_CACHE":"True","REQUEST":"read","SQLS":[3,1]} answers {"statusCode":200,"body":[...]}; with "write", SQLS are ' +
          'the heroes. A hero, or a list of heroes, creates them and answers 201 with what was created.',
        querystring: schemas.CacheQuery,
        headers: schemas.WriteHeaders,
      },
    },
    (request, reply) => {
      const { body } = request;
      return isOrder(body) ? order(request, reply, parts, body) : create(request, reply, parts, body);
    },
  );
}

async function order(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: Parts,
  body: Record<string, unknown>,
): Promise<FastifyReply> {
  const order = readOrder(body);
  if (order.request === 'read') return parts.reads.send(request, reply, { ...order, body: envelopeOf });
  if (order.heroes.length === 0) return reply.send(SUCCESS);
  const written = await parts.writes.insert(order.heroes, idempotencyKey(request));
  return sendStored(reply, parts, { ...order, written, body: SUCCESS });
}

const SUCCESS = { statusCode: 200, body: 'write success' };

function envelopeOf(heroes: readonly string[]): string {
  return `{"statusCode":200,"body":[${heroes.join()}]}`;
}

async function create(
  request: FastifyRequest<{ Querystring: { cache?: boolean } }>,
  reply: FastifyReply,
  parts: Parts,
  body: unknown,
): Promise<FastifyReply> {
  const sent = Array.isArray(body) ? body : [body];
  if (sent.length === 0 || sent.length > MAX_ROWS) throw bad(`send 1 to ${MAX_ROWS} heroes, found ${sent.length}`);
  const heroes = sent.map((hero, i) => newHeroOf(hero, sent === body ? `hero ${i}` : 'the hero'));
  const written = await parts.writes.insert(heroes, idempotencyKey(request));
  const created = heroes.map((hero, i) => ({ id: written.value[i]!, ...hero }));
  reply.code(201);
  const { cache = true } = request.query;
  return sendStored(reply, parts, { cache, written, body: sent === body ? created : created[0] });
}

interface Stored {
  readonly cache: boolean;
  /** Its value are the ids. */
  readonly written: Written<readonly number[]>;
  readonly body: unknown;
}

/** Write-through: with the cache, the rows are in it when the answer goes out. */
async function sendStored(
  reply: FastifyReply,
  { live, views: { heroes } }: Parts,
  { cache, written, body }: Stored,
): Promise<FastifyReply> {
  if (cache && reply.request.headers['lockstep-wait'] !== 'none') {
    const { applied } = await live.applied(written.receipt);
    if (applied) await heroes.hold([rows(written.value)]);
  }
  return sendWritten(reply, written, live, body);
}

function readRoutes(app: FastifyInstance, { reads }: Parts): void {
  app.get<{ Querystring: { ids?: string; cache?: boolean } }>(
    '',
    {
      config: { readsView: true },
      schema: {
        tags: schemas.TAGS,
        summary: 'Heroes by their ids',
        querystring: schemas.IdsQuery,
        response: { 200: schemas.Heroes, '4xx': schemas.Problem },
      },
    },
    (request, reply) => {
      const { ids, cache = true } = request.query;
      if (ids === undefined) return reply.redirect('/heroes/', 308);
      return reads.send(request, reply, { ids: checkedIds(ids), cache, body: listOf });
    },
  );
  app.get<{ Params: { id: string }; Querystring: { cache?: boolean } }>(
    '/:id',
    {
      config: { readsView: true },
      schema: {
        tags: schemas.TAGS,
        summary: 'One hero',
        params: schemas.IdPath,
        querystring: schemas.CacheQuery,
        response: { 200: schemas.Hero, '4xx': schemas.Problem },
      },
    },
    (request, reply) => {
      const { cache = true } = request.query;
      return reads.send(request, reply, { ids: [checkedId(request.params.id)], cache, body: ([hero]) => hero! });
    },
  );
}

function listOf(heroes: readonly string[]): string {
  return `[${heroes.join()}]`;
}

function checkedIds(text: string): number[] {
  const ids = readIds(text);
  if (ids && ids.length <= MAX_ROWS) return ids;
  const expected = `at most ${MAX_ROWS} whole numbers that fit into 32 bits, with commas between them`;
  throw bad(`ids must be ${expected}, found ${ids ? ids.length : found(text)}`);
}

function checkedId(text: string): number {
  const id = readId(text);
  if (id === undefined) throw bad(`an id must be a whole number that fits into 32 bits, found ${text}`);
  return id;
}

function listRoute(fastify: FastifyInstance, { record }: Parts): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/list',
    {
      schema: {
        tags: schemas.TAGS,
        summary: 'Heroes in the order of their ids, from the record',
        description: 'For the next page, ask with `after` as the last id.',
        querystring: schemas.ListQuery,
        response: { 200: schemas.Heroes, '4xx': schemas.Problem },
      },
    },
    ({ query: { after = INTEGER.min - 1, limit = 50 } }) =>
      record.query<Hero>(
        `select id, ${FIELDS.join()} from heroes.heroes where id > $1::bigint order by id limit $2::integer`,
        [after, limit],
      ),
  );
}

interface ChangeRequest {
  Params: { id: string };
  Querystring: { cache?: boolean };
  Body: unknown;
}

function changeRoutes(app: FastifyInstance, parts: Parts): void {
  const { writes } = parts;
  const schema = (summary: string) => ({
    tags: schemas.TAGS,
    summary,
    params: schemas.IdPath,
    querystring: schemas.CacheQuery,
    headers: schemas.WriteHeaders,
    response: { 200: schemas.Hero, '4xx': schemas.Problem },
  });
  const send = async (request: FastifyRequest<ChangeRequest>, reply: FastifyReply, writing: Promise<Written<Hero>>) => {
    const { receipt, value } = await writing;
    const written = { receipt, value: [value.id] };
    return sendStored(reply, parts, { cache: request.query.cache ?? true, written, body: value });
  };
  app.put<ChangeRequest>('/:id', { schema: schema('Give a hero other values: all fields') }, (request, reply) => {
    const id = checkedId(request.params.id);
    return send(request, reply, writes.change(id, fieldsOf(request.body, readHero, id), idempotencyKey(request)));
  });
  app.patch<ChangeRequest>('/:id', { schema: schema('Give some fields other values') }, (request, reply) => {
    const id = checkedId(request.params.id);
    return send(request, reply, writes.change(id, fieldsOf(request.body, readChanges, id), idempotencyKey(request)));
  });
  app.delete<ChangeRequest>('/:id', { schema: schema('Take a hero out of the record') }, (request, reply) =>
    send(request, reply, writes.remove(checkedId(request.params.id), idempotencyKey(request))),
  );
}

/** The fields that were sent. An id may be among them, as a read gives it, but it must be the hero's own. */
function fieldsOf<T extends object>(body: unknown, read: (body: unknown) => T | string, id: number): T {
  const fields = read(body);
  if (typeof fields === 'string') throw bad(fields);
  const sent = (body as { id?: unknown }).id;
  if (sent !== undefined && sent !== id) throw bad(`id is ${id} by the path; leave it out, or send the same`);
  return fields;
}
