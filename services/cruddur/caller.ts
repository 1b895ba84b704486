import type { FastifyRequest } from 'fastify';
import { bearerToken, type Identity, type User } from '../../src/index.ts';
import { UserGone } from './invalid.ts';
import type { Me, People } from './people.ts';

/** How views are to be asked: they may not know yet who was looked up just now. */
export interface Asking {
  readonly from?: 'record';
}

/**
 * What a caller asks for. Told both account and number, it has to throw `UserGone` unless the number is still that account's where it is
 * used: SQL goes by the account, an answer of a view holds the account of the number.
 */
export type Act<T> = (me: Me, asking: Asking) => T | Promise<T>;

/** Who calls: from the token, the user of this service. */
export class Caller {
  readonly #identity: Identity;
  readonly #people: People;

  constructor(options: { identity: Identity; people: People }) {
    this.#identity = options.identity;
    this.#people = options.people;
  }

  /**
   * Does what the caller asks; after `UserGone` once more, as the user that the record has now. Synchronous where `act` is, for a token
   * that was seen before. Throws 401.
   */
  as<T>(request: FastifyRequest, act: Act<T>): T | Promise<T> {
    const user = this.#identity.verify(bearerToken(request));
    const me = user instanceof Promise ? undefined : this.#people.remembered(user);
    return me ? this.#try(user as User, me, act) : this.#find(user, act);
  }

  /** The user's name to the identity, after which the topic of their own news is called. Throws 401. */
  async sub(request: FastifyRequest): Promise<string> {
    return (await this.#identity.verify(bearerToken(request))).sub;
  }

  async #find<T>(verified: User | Promise<User>, act: Act<T>): Promise<T> {
    const user = await verified;
    return this.#try(user, this.#people.remembered(user) ?? (await this.#people.find(user)), act);
  }

  #try<T>(user: User, me: Me, act: Act<T>): T | Promise<T> {
    const again = async (error: unknown) => {
      if (!(error instanceof UserGone)) throw error;
      return act(await this.#people.find(user), { from: 'record' });
    };
    try {
      const done = act(me, {});
      return done instanceof Promise ? done.catch(again) : done;
    } catch (error) {
      return again(error);
    }
  }
}
