import type { FastifyReply, FastifyRequest } from 'fastify';
import { ClientError, problemOf } from '../../src/index.ts';
import { found, type NewHero, readHero, readId } from './hero.ts';

/** Rows of one request. */
export const MAX_ROWS = 1000;
/** As many of the longest rows, with everything in them escaped: 1.2 KB each. */
export const MAX_BYTES = MAX_ROWS * 1280;

/** The two requests of `POST /`, checked. */
export type Order =
  | { readonly request: 'read'; readonly cache: boolean; readonly ids: readonly number[] }
  | { readonly request: 'write'; readonly cache: boolean; readonly heroes: readonly NewHero[] };

/** Whether a body is one of the two requests, or meant to be. */
export function isOrder(body: unknown): body is Record<string, unknown> {
  return typeof body === 'object' && body !== null && ('REQUEST' in body || 'SQLS' in body || 'USE_CACHE' in body);
}

/** Problems too come as the contract says, also of a body that could not be read; those of heroes to be created as everywhere. */
export function answerOrderError(error: Error, { body }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = body === undefined || isOrder(body) ? problemOf(error) : undefined;
  if (!problem) throw error;
  const { status: statusCode, headers = {} } = problem;
  const message = statusCode === 413 ? TOO_LARGE : problem.message;
  return reply.code(statusCode).headers(headers).send({ statusCode, body: { message } });
}

const TOO_LARGE = `The body is larger than ${MAX_BYTES / 1024} KiB, which ${MAX_ROWS} rows never are; load more with POST /heroes/import.`;

/** Throws 400, which names the field and, of many rows, the row. */
export function readOrder({ USE_CACHE, REQUEST, SQLS, ...others }: Record<string, unknown>): Order {
  const [other] = Object.keys(others);
  if (other !== undefined) throw bad(`${found(other)} is not expected; there are USE_CACHE, REQUEST and SQLS`);
  const cache = readSwitch(USE_CACHE);
  if (REQUEST !== 'read' && REQUEST !== 'write')
    throw bad(`REQUEST must be "read" or "write", found ${found(REQUEST)}`);
  if (!Array.isArray(SQLS) || SQLS.length > MAX_ROWS)
    throw bad(`SQLS must be a list of at most ${MAX_ROWS}, found ${Array.isArray(SQLS) ? SQLS.length : found(SQLS)}`);
  if (REQUEST === 'read') return { request: REQUEST, cache, ids: SQLS.map((id, i) => idOf(id, `SQLS[${i}]`)) };
  return { request: REQUEST, cache, heroes: SQLS.map((hero, i) => newHeroOf(hero, `SQLS[${i}]`)) };
}

/** A hero to be created. Throws 400, which says where it was sent. */
export function newHeroOf(sent: unknown, where = 'the hero'): NewHero {
  const hero = readHero(sent);
  if (typeof hero === 'string') throw bad(`${where}: ${hero}`);
  if ((sent as { id?: unknown }).id !== undefined)
    throw bad(`${where}: id is given by the record; leave it out, or change a hero with PUT /heroes/{id}`);
  return hero;
}

function idOf(sent: unknown, where: string): number {
  const id = readId(sent);
  if (id === undefined) throw bad(`${where} must be an id, a whole number, found ${found(sent)}`);
  return id;
}

function readSwitch(sent: unknown): boolean {
  if (sent === true || sent === 'True') return true;
  if (sent === false || sent === 'False') return false;
  throw bad(`USE_CACHE must be "True" or "False", or a boolean, found ${found(sent)}`);
}

export function bad(message: string): ClientError {
  return new ClientError(400, `${message}.`);
}
