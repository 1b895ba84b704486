import type { FastifyRequest } from 'fastify';
import { bearerToken, type Identity } from '../../src/index.ts';
import type { People } from './people.ts';

/** Who calls: from the token, the user of this service. */
export class Caller {
  readonly #identity: Identity;
  readonly #people: People;

  constructor(options: { identity: Identity; people: People }) {
    this.#identity = options.identity;
    this.#people = options.people;
  }

  /** The user's number. Throws 401. Synchronous for a token that was seen before. */
  id(request: FastifyRequest): number | Promise<number> {
    const user = this.#identity.verify(bearerToken(request));
    return user instanceof Promise ? user.then((known) => this.#people.idOf(known)) : this.#people.idOf(user);
  }

  /** The user's name to the identity, after which the topic of their own news is called. Throws 401. */
  async sub(request: FastifyRequest): Promise<string> {
    return (await this.#identity.verify(bearerToken(request))).sub;
  }
}
