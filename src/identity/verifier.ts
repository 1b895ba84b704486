import { errors } from 'jose';
import { ClientError } from '../record/errors.ts';
import type { User } from './identity.ts';

/** What a genuine token says. */
export interface Verified {
  readonly user: User;
  /** Microseconds since 1970 UTC. */
  readonly expiresAt: number;
  /** Of Lockstep's own tokens: they end when their user's generation goes up. */
  readonly generation?: number;
}

export interface VerifierOptions {
  /** Checks signature and claims. Rejects with jose's errors, or with a `ClientError` to be passed on. */
  readonly check: (token: string) => Promise<Verified>;
  /** Whether the token has not been ended before its time; asked each time. */
  readonly isAlive?: (verified: Verified) => boolean;
  /** Microseconds since 1970 UTC. */
  readonly clock: () => number;
  /** Tokens remembered: at most this many, at least half of them. 20,000 unless told, about 30 MB. */
  readonly maxTokens?: number;
}

const MAX_TOKEN_LENGTH = 8192;
/** Stricter than the decoder, which overlooks padding and spaces at the end. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** The token in an `Authorization` header, bare or after `Bearer `. */
export function bearer(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const scheme = header.slice(0, 7);
  const token = scheme === 'Bearer ' || scheme.toLowerCase() === 'bearer ' ? header.slice(7).trim() : header.trim();
  return token === '' || (token.length === 6 && token.toLowerCase() === 'bearer') ? undefined : token;
}

/** Of a token's signature: hashed at each look-up, and apart from chance another in each token. */
const TAIL = 32;

/** A genuine token and what it says. */
interface Known {
  readonly token: string;
  readonly verified: Verified;
}

/**
 * Verifies tokens. A token's signature is checked once: genuine ones are remembered in two generations of a map, of which the older
 * is dropped when the younger is half full, so that a hit costs one look-up (by a part: hashing a whole token takes 1 us) and
 * memory is bounded.
 */
export class Verifier {
  readonly #options: VerifierOptions;
  readonly #half: number;
  /** By the token's tail. */
  #young = new Map<string, Known>();
  #old = new Map<string, Known>();

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#half = Math.max(1, Math.floor((options.maxTokens ?? 20_000) / 2));
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Synchronous for a token seen before, thrown errors included. Throws 401. */
  verify(token: string | undefined): User | Promise<User> {
    if (!token) throw unauthorized('jwt must be provided');
    const known = this.#young.get(token.slice(-TAIL)) ?? this.#promote(token);
    return known?.token === token ? this.#admit(known.verified) : this.#first(token);
  }

  async #first(token: string): Promise<User> {
    if (token.length > MAX_TOKEN_LENGTH || !JWT.test(token)) throw unauthorized('invalid token');
    const verified = await this.#options.check(token).catch((error: unknown) => {
      throw asClientError(error);
    });
    const user = this.#admit(verified);
    this.#remember({ token, verified });
    return user;
  }

  #admit(verified: Verified): User {
    if (verified.expiresAt <= this.#options.clock()) throw unauthorized('jwt expired');
    if (this.#options.isAlive?.(verified) === false) throw unauthorized('invalid token');
    return verified.user;
  }

  #promote(token: string): Known | undefined {
    const tail = token.slice(-TAIL);
    const known = this.#old.get(tail);
    if (!known) return undefined;
    this.#old.delete(tail);
    this.#remember(known);
    return known;
  }

  #remember(known: Known): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(known.token.slice(-TAIL), known);
  }
}

function asClientError(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return unauthorized('jwt expired', error);
  return error instanceof errors.JOSEError ? unauthorized('invalid token', error) : error;
}

function unauthorized(message: string, cause?: unknown): ClientError {
  // RFC 6750, 3: no error code where no token came.
  const challenge =
    message === 'jwt must be provided' ? 'Bearer' : `Bearer error="invalid_token", error_description="${message}"`;
  return new ClientError(401, message, { headers: { 'www-authenticate': challenge }, cause });
}
