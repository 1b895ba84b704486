import type { FastifyRequest } from 'fastify';
import type { Identity, User } from '../identity/identity.ts';
import { bearer } from '../identity/verifier.ts';

/** The token of `Authorization`, sent bare or after `Bearer `; undefined without one. */
export function bearerToken(request: FastifyRequest): string | undefined {
  return bearer(request.headers.authorization);
}

/** Who follows a stream, asked again while it is open: a token that has run out ends what it opened. */
export class Session {
  readonly #identity: Identity;
  #token: string | undefined;
  user: User | null = null;

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /** Takes a token. Throws 401 for a bad one, and keeps the one before. */
  async use(token: string): Promise<User> {
    const user = await this.#identity.verify(token);
    this.#token = token;
    this.user = user;
    return user;
  }

  /** Whether the token, if there is one, is still good. */
  async isValid(): Promise<boolean> {
    if (this.#token === undefined) return true;
    try {
      await this.#identity.verify(this.#token);
      return true;
    } catch {
      this.#token = undefined;
      this.user = null;
      return false;
    }
  }
}
