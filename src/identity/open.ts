import type { Log } from '../record/log.ts';
import { migrate } from '../record/migrate.ts';
import type { PgRecord } from '../record/record.ts';
import { MICROS_PER_DAY, MICROS_PER_SECOND, nowMicros } from '../record/time.ts';
import { ConfirmationFlow } from './confirmation-flow.ts';
import { CONFIRMATION_DAYS } from './confirmations.ts';
import { ExternalIdentity } from './external-identity.ts';
import { ExternalTokens, type ExternalTokensOptions } from './external-tokens.ts';
import { Generations } from './generations.ts';
import { CONFIRM_PATH, type IdentityServer, type OnConfirmed } from './identity.ts';
import type { KeyPolicy } from './key-plan.ts';
import { Keyring } from './keyring.ts';
import { LoginThrottle } from './login-throttle.ts';
import { createMailer, senderOf } from './mailer.ts';
import { OwnIdentity } from './own-identity.ts';
import { OwnTokens, TOKEN_SECONDS } from './own-tokens.ts';
import { PasswordHasher, type PasswordHasherOptions } from './passwords.ts';
import { createSeal } from './seal.ts';
import { Sessions } from './sessions.ts';
import { Verifier } from './verifier.ts';

export interface IdentityConfig {
  /** This server's own URL, the `iss` of its tokens: `publicUrl`, or `http://localhost:<port>`. Tokens of another one are invalid. */
  readonly issuerUrl: string;
  /** `aud` of the ID tokens, `client_id` of the access tokens: `lockstep` unless told. With an external issuer: unset trusts any. */
  readonly audience?: string;
  /** LOCKSTEP_ISSUER: trust this issuer's tokens, keep no accounts. */
  readonly externalIssuer?: string;
  /** LOCKSTEP_SMTP_URL: e-mail addresses must be confirmed. `?from=` names the sender: see `senderOf`. */
  readonly smtpUrl?: string;
  /** LOCKSTEP_SECRET: encrypts the private signing keys in the record (backups, read access by SQL). Unset: they lie there unencrypted. */
  readonly secret?: string;
}

export interface IdentityOptions {
  readonly record: PgRecord;
  readonly config: IdentityConfig;
  readonly log: Log;
  /** Nothing unless told. An external issuer's confirmations are not known here. */
  readonly onConfirmed?: OnConfirmed;
  /** Microseconds since 1970 UTC. */
  readonly clock?: () => number;
  /** For tests: cheaper passwords. */
  readonly passwords?: PasswordHasherOptions;
  /** 90 days a key, published a day before, kept two hours after, unless told. */
  readonly keyPolicy?: KeyPolicy;
  /** For tests: how soon the external issuer is asked again. */
  readonly coolDown?: ExternalTokensOptions['coolDown'];
}

const KEY_POLICY: KeyPolicy = {
  rotateEvery: 90 * MICROS_PER_DAY,
  publishAhead: MICROS_PER_DAY,
  keepAfter: 2 * TOKEN_SECONDS * MICROS_PER_SECOND,
};

/** Opens the accounts: makes the tables, and the first signing key, where there are none. */
export async function openIdentity(options: IdentityOptions): Promise<IdentityServer> {
  return options.config.externalIssuer === undefined
    ? openOwn(options)
    : openExternal(options, options.config.externalIssuer);
}

function openExternal({ config, log, coolDown, clock = nowMicros }: IdentityOptions, issuer: string): IdentityServer {
  const tokens = new ExternalTokens({ issuer, audience: config.audience, log, clock, coolDown });
  return new ExternalIdentity({ issuer, verifier: new Verifier({ check: (token) => tokens.check(token), clock }) });
}

async function openOwn(options: IdentityOptions): Promise<IdentityServer> {
  const { record, config, log, clock = nowMicros } = options;
  await migrate(record, { name: 'identity', schema: 'lockstep', folder: new URL('./migrations/', import.meta.url) });
  const seal = config.secret === undefined ? undefined : createSeal(config.secret);
  const keyring = new Keyring({ record, policy: options.keyPolicy ?? KEY_POLICY, seal, clock });
  const generations = new Generations({ record, tokenSeconds: TOKEN_SECONDS, clock });
  const issuer = config.issuerUrl.replace(/\/+$/, '');
  const tokens = new OwnTokens({ keyring, issuer, audience: config.audience ?? 'lockstep', clock });
  const identity = new OwnIdentity({
    record,
    issuer,
    passwords: new PasswordHasher(options.passwords),
    throttle: new LoginThrottle({ clock }),
    sessions: new Sessions({ record, clock }),
    generations,
    keyring,
    tokens,
    verifier: new Verifier({
      check: (token) => tokens.check(token),
      isAlive: ({ user, generation }) => generations.isAlive(user.sub, generation ?? 0),
      clock,
    }),
    confirmations: confirmationFlow(options, issuer, clock),
    onConfirmed: options.onConfirmed ?? nothing,
    log,
    clock,
  });
  await identity.maintain();
  await identity.refreshFromRecord();
  identity.start();
  return identity;
}

async function nothing(): Promise<void> {}

function confirmationFlow(
  { record, config, log, onConfirmed = nothing }: IdentityOptions,
  issuer: string,
  clock: () => number,
) {
  if (config.smtpUrl === undefined) return undefined;
  const mailer = createMailer({
    smtpUrl: config.smtpUrl,
    from: senderOf(config.smtpUrl, issuer),
    confirmUrl: `${issuer}${CONFIRM_PATH}`,
    days: CONFIRMATION_DAYS,
  });
  return new ConfirmationFlow({ record, mailer, onConfirmed, log, clock });
}
