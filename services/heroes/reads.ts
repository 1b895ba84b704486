import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Answer, minPosition, rows, type ServiceContext, sendJson } from '../../src/index.ts';
import { Latency } from './latency.ts';
import type { views } from './views.ts';
import { noHero } from './writes.ts';

type View = ServiceContext<typeof views>['views']['heroes'];

export interface Asked {
  /** In the order of the answer. */
  readonly ids: readonly number[];
  /** Whether the cache may answer, and is filled with what it lacks. */
  readonly cache: boolean;
  /** The JSON answer, of the heroes as JSON texts. */
  body(heroes: readonly string[]): string;
}

/** Reads of heroes, with the cache and without, and how long they took. */
export class Reads {
  /** Milliseconds in the server, of reads answered from the cache, with the cache and a query for what it lacked, and without it. */
  readonly latency = { cached: new Latency(), filled: new Latency(), uncached: new Latency() };
  readonly #view: View;

  constructor({ views: { heroes } }: { views: { heroes: View } }) {
    this.#view = heroes;
  }

  /** Answers a request. Throws 404 for ids that no hero has. */
  send(request: FastifyRequest, reply: FastifyReply, asked: Asked): FastifyReply | Promise<FastifyReply> {
    const began = performance.now();
    const min = asked.cache ? minPosition(request) : undefined;
    const now = asked.cache ? this.#view.readNow([rows(asked.ids)], min) : undefined;
    if (!now) return this.#sendRead(request, reply, asked, began);
    const sent = sendFound(reply, now, asked);
    this.latency.cached.add(performance.now() - began);
    return sent;
  }

  async #sendRead(request: FastifyRequest, reply: FastifyReply, asked: Asked, began: number): Promise<FastifyReply> {
    const min = minPosition(request);
    const options = { ...(min && { minPosition: min }), ...(!asked.cache && { from: 'record' as const }) };
    const answer = await this.#view.read([rows(asked.ids)], options);
    const sent = sendFound(reply, answer, asked);
    this.latency[asked.cache ? 'filled' : 'uncached'].add(performance.now() - began);
    return sent;
  }
}

function sendFound(reply: FastifyReply, answer: Answer<[(string | null)[]]>, { ids, body }: Asked): FastifyReply {
  const [heroes] = answer.results;
  if (heroes.includes(null)) throw noHero(ids.filter((_, i) => heroes[i] === null));
  return sendJson(reply, answer, body(heroes as string[]));
}
