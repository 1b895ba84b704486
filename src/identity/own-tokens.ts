import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { MICROS_PER_SECOND } from '../record/time.ts';
import type { Tokens, User } from './identity.ts';
import type { Keyring } from './keyring.ts';
import type { Verified } from './verifier.ts';

/** Seconds ID and access tokens are valid. */
export const TOKEN_SECONDS = 3600;

export interface OwnTokensOptions {
  readonly keyring: Pick<Keyring, 'current' | 'find'>;
  readonly issuer: string;
  readonly audience: string;
  /** Microseconds since 1970 UTC. */
  readonly clock: () => number;
}

/** Whom tokens are made for. */
export interface Subject extends User {
  readonly email: string;
  readonly emailVerified: boolean;
  /** See `lockstep.users.generation`. */
  readonly generation: number;
  /** When the password was given: microseconds since 1970 UTC. */
  readonly authTime: number;
}

const GENERATION = 'lockstep:generation';

/** Signs and checks Lockstep's own ID and access tokens; their claims are named as Amazon Cognito names them. */
export class OwnTokens {
  readonly #options: OwnTokensOptions;

  constructor(options: OwnTokensOptions) {
    this.#options = options;
  }

  async issue(subject: Subject): Promise<Omit<Tokens, 'refreshToken'>> {
    const { audience } = this.#options;
    const [idToken, accessToken] = await Promise.all([
      this.#sign(subject, {
        token_use: 'id',
        aud: audience,
        'cognito:username': subject.username,
        email: subject.email,
        email_verified: subject.emailVerified,
      }),
      this.#sign(subject, { token_use: 'access', client_id: audience, scope: 'openid', username: subject.username }),
    ]);
    return { idToken, accessToken, expiresIn: TOKEN_SECONDS };
  }

  /** Rejects with jose's errors. */
  async check(token: string): Promise<Verified> {
    const { keyring, issuer, clock } = this.#options;
    const { payload } = await jwtVerify(token, ({ kid }) => keyring.find(kid)?.publicKey ?? noSuchKey(), {
      algorithms: ['RS256'],
      issuer,
      requiredClaims: ['sub', 'iat', 'exp'],
      currentDate: new Date(clock() / 1000),
    });
    return this.#read(payload);
  }

  #sign(subject: Subject, claims: JWTPayload): Promise<string> {
    const { keyring, issuer, clock } = this.#options;
    const { kid, privateKey } = keyring.current;
    const now = Math.floor(clock() / MICROS_PER_SECOND);
    const shared: JWTPayload = {
      sub: subject.sub,
      iss: issuer,
      iat: now,
      exp: now + TOKEN_SECONDS,
      auth_time: Math.floor(subject.authTime / MICROS_PER_SECOND),
      [GENERATION]: subject.generation,
    };
    if (subject.roles.length > 0) shared['cognito:groups'] = subject.roles;
    return new SignJWT({ ...shared, ...claims }).setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' }).sign(privateKey);
  }

  #read(payload: JWTPayload): Verified {
    const isId = payload.token_use === 'id';
    const { audience } = this.#options;
    expectClaim(payload, isId ? 'aud' : 'client_id', audience);
    if (!isId) expectClaim(payload, 'token_use', 'access');
    const user: User = {
      sub: payload.sub!,
      username: payload[isId ? 'cognito:username' : 'username'] as string,
      email: (payload.email as string | undefined) ?? null,
      roles: (payload['cognito:groups'] as string[] | undefined) ?? [],
    };
    return { user, expiresAt: payload.exp! * MICROS_PER_SECOND, generation: payload[GENERATION] as number };
  }
}

function expectClaim(payload: JWTPayload, claim: string, value: string): void {
  if (payload[claim] !== value)
    throw new errors.JWTClaimValidationFailed('unexpected value', payload, claim, 'check_failed');
}

function noSuchKey(): never {
  throw new errors.JWKSNoMatchingKey();
}
