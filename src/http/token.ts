import type { FastifyRequest } from 'fastify';
import type { Identity, User } from '../identity/identity.ts';
import { bearer } from '../identity/verifier.ts';
import { ClientError } from '../record/errors.ts';

/** The token of `Authorization`, sent bare or after `Bearer `; undefined without one. */
export function bearerToken(request: FastifyRequest): string | undefined {
  return bearer(request.headers.authorization);
}

/** Who follows a stream, asked again while it is open: a token that has run out ends what it opened. */
export class Session {
  readonly #identity: Pick<Identity, 'verify'>;
  #token: string | undefined;
  user: User | null = null;

  constructor(identity: Pick<Identity, 'verify'>) {
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
    const token = this.#token;
    if (token === undefined) return true;
    try {
      await this.#identity.verify(token);
      return true;
    } catch (error) {
      // It said nothing of a token that came meanwhile, and an issuer that does not answer says nothing at all.
      if (token !== this.#token || !(error instanceof ClientError && error.status === 401)) return true;
      this.#token = undefined;
      this.user = null;
      return false;
    }
  }
}
