import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { ClientError } from '../record/errors.ts';
import type { Log } from '../record/log.ts';
import { MICROS_PER_SECOND } from '../record/time.ts';
import type { User } from './identity.ts';
import type { Verified } from './verifier.ts';

export interface ExternalTokensOptions {
  /** The issuer's URL; a slash at its end does not matter. */
  readonly issuer: string;
  /** Unset: tokens for any audience of this issuer are trusted. */
  readonly audience?: string;
  readonly log: Log;
  /** Microseconds since 1970 UTC. */
  readonly clock: () => number;
  /** Seconds after which an unknown key may be asked for again, and an issuer that failed be tried again; 30 and 5 unless told. */
  readonly coolDown?: { readonly keys: number; readonly failure: number };
}

interface Provider {
  readonly issuer: string;
  readonly keys: JWTVerifyGetKey;
}

const TIMEOUT_MS = 5000;
const LEEWAY_SECONDS = 5;

/**
 * Checks the tokens of another OIDC issuer (Amazon Cognito, Keycloak, ...) by the keys it publishes. The issuer is
 * asked at the first token, not at start: its failure is no failure of this process.
 */
export class ExternalTokens {
  readonly #options: ExternalTokensOptions;
  #provider: Promise<Provider> | undefined;
  #failedAt = Number.NEGATIVE_INFINITY;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ExternalTokensOptions) {
    this.#options = options;
  }

  get #retryMicros(): number {
    return (this.#options.coolDown?.failure ?? 5) * MICROS_PER_SECOND;
  }

  /** Rejects with jose's errors, or with 503 when the issuer cannot be reached. */
  async check(token: string): Promise<Verified> {
    const { audience, clock } = this.#options;
    const { issuer, keys } = await this.#discover();
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ['RS256', 'ES256'],
      issuer,
      requiredClaims: ['sub', 'exp'],
      clockTolerance: LEEWAY_SECONDS,
      currentDate: new Date(clock() / 1000),
    }).catch((error: unknown) => {
      throw isRefusal(error) ? error : this.#unreachable(error);
    });
    if (audience !== undefined) checkAudience(payload, audience);
    checkUse(payload);
    return { user: toUser(payload), expiresAt: (payload.exp! + LEEWAY_SECONDS) * MICROS_PER_SECOND };
  }

  /** One discovery for all who wait; a failed one is not repeated within the cool-down. */
  #discover(): Promise<Provider> {
    const { clock } = this.#options;
    if (this.#provider) return this.#provider;
    if (clock() - this.#failedAt < this.#retryMicros) throw this.#unreachable();
    this.#provider = this.#fetchProvider().catch((error: unknown) => {
      this.#provider = undefined;
      this.#failedAt = clock();
      throw this.#unreachable(error);
    });
    return this.#provider;
  }

  async #fetchProvider(): Promise<Provider> {
    const { issuer, coolDown } = this.#options;
    const wanted = withoutSlash(issuer);
    const url = `${wanted}/.well-known/openid-configuration`;
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`${url} answered ${response.status}; expected 200.`);
    const found = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
    if (typeof found.issuer !== 'string' || withoutSlash(found.issuer) !== wanted) {
      throw new Error(`${url} names the issuer ${JSON.stringify(found.issuer)}; expected LOCKSTEP_ISSUER, ${wanted}.`);
    }
    if (typeof found.jwks_uri !== 'string') throw new Error(`${url} names no "jwks_uri".`);
    const keys = createRemoteJWKSet(new URL(found.jwks_uri), {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: (coolDown?.keys ?? 30) * 1000,
    });
    return { issuer: found.issuer, keys };
  }

  #unreachable(cause?: unknown): ClientError {
    const { issuer, log, clock } = this.#options;
    if (cause && clock() - this.#loggedAt >= this.#retryMicros) {
      this.#loggedAt = clock();
      log.error({ err: cause }, `The issuer at LOCKSTEP_ISSUER (${issuer}) cannot be asked for its keys`);
    }
    return new ClientError(
      503,
      `The issuer ${issuer} cannot be reached to check the token; try again in a few seconds.`,
      {
        headers: { 'retry-after': '5' },
        cause,
      },
    );
  }
}

/** Whether the token is to blame, not the way to the issuer. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout) return false;
  // Of the base class itself: the JWKS answered with another status than 200, or with no JSON.
  return error.constructor !== errors.JOSEError && !(error instanceof errors.JWKSInvalid);
}

/** Cognito's access tokens have no `aud`, but a `client_id`. */
function checkAudience(payload: JWTPayload, audience: string): void {
  const audiences = payload.aud ?? payload.client_id;
  if (Array.isArray(audiences) ? audiences.includes(audience) : audiences === audience) return;
  throw new errors.JWTClaimValidationFailed('unexpected "aud" claim value', payload, 'aud', 'check_failed');
}

/** Cognito says what a token is for in `token_use`, Keycloak in `typ`. */
function checkUse({ token_use: use, typ: type, ...payload }: JWTPayload): void {
  const fits =
    (use === undefined || use === 'id' || use === 'access') &&
    (type === undefined || type === 'ID' || type === 'Bearer');
  if (!fits)
    throw new errors.JWTClaimValidationFailed(
      'neither an ID nor an access token',
      payload,
      'token_use',
      'check_failed',
    );
}

function toUser(payload: JWTPayload): User {
  const sub = payload.sub!;
  const names = [payload['cognito:username'], payload.username, payload.preferred_username];
  const realm = payload.realm_access as { roles?: unknown } | undefined;
  return {
    sub,
    username: names.find((name): name is string => typeof name === 'string' && name !== '') ?? sub,
    email: typeof payload.email === 'string' ? payload.email : null,
    roles: [...new Set([payload['cognito:groups'], payload.roles, realm?.roles].flatMap(strings))],
  };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((part) => typeof part === 'string') : [];
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
