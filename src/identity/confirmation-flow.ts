import { ClientError } from '../record/errors.ts';
import type { Log } from '../record/log.ts';
import type { PgRecord, RecordTransaction } from '../record/record.ts';
import { confirmEmail, findAccount, type StoredAccount } from './accounts.ts';
import { addressKey } from './address.ts';
import { createCode, takeCode } from './confirmations.ts';
import { CONFIRM_PATH, type OnConfirmed, RESEND_PATH } from './identity.ts';
import type { Mailer } from './mailer.ts';
import { usernameKey } from './policy.ts';
import { Throttle } from './throttle.ts';

export interface ConfirmationFlowOptions {
  readonly record: PgRecord;
  readonly mailer: Mailer;
  readonly onConfirmed: OnConfirmed;
  readonly log: Log;
  /** Microseconds since 1970 UTC. */
  readonly clock: () => number;
}

/** Proves that an account's e-mail address is its owner's: a code is mailed there and must come back. */
export class ConfirmationFlow {
  readonly #options: ConfirmationFlowOptions;
  readonly #mails: Throttle;
  readonly #addresses: Throttle;
  readonly #sending = new Set<Promise<void>>();

  constructor(options: ConfirmationFlowOptions) {
    const { clock } = options;
    this.#options = options;
    this.#mails = new Throttle({ burst: 3, everySeconds: 300, clock });
    this.#addresses = new Throttle({ burst: 30, everySeconds: 10, clock });
  }

  createCode(tx: RecordTransaction, { sub }: StoredAccount): Promise<string> {
    return createCode(tx, sub, this.#options.clock());
  }

  /** Throws 503 when the mail server does not take the mail; the account and its code stay. */
  async send({ username, email }: StoredAccount, code: string): Promise<void> {
    const { mailer, log } = this.#options;
    try {
      await mailer.sendConfirmation({ to: email, username, code });
    } catch (error) {
      log.error({ err: error }, 'The mail server at LOCKSTEP_SMTP_URL did not take a confirmation mail');
      throw new ClientError(
        503,
        `The account is created, but its confirmation mail could not be sent; ask for it later: POST ${RESEND_PATH} with {"username"}.`,
      );
    }
  }

  /** Throws 400 (wrong, used or expired), 409 (address confirmed by another account), 429. */
  async confirm({ username, code, address }: { username: string; code: string; address: string }): Promise<void> {
    this.#limitAddress(address);
    const { record, onConfirmed, clock } = this.#options;
    const { value: confirmed } = await record.transaction(async (tx) => {
      const account = await findAccount(tx, username);
      if (!account || !(await takeCode(tx, account.sub, code, clock()))) return false;
      await confirmEmail(tx, account.sub);
      await onConfirmed(tx, {
        sub: account.sub,
        username: account.username,
        email: account.email,
        roles: account.roles,
      });
      return true;
    });
    if (confirmed) return;
    throw new ClientError(
      400,
      `The code is wrong, used or expired; ask for a new one: POST ${RESEND_PATH} with {"username"}.`,
    );
  }

  /** Answers before the mail is sent, and the same for every name. Throws 429. */
  async resend({ username, address }: { username: string; address: string }): Promise<void> {
    this.#limitAddress(address);
    const key = usernameKey(username).slice(0, 256);
    this.#mails.check(key);
    this.#mails.count(key);
    const sending = this.#resend(username).catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'A confirmation mail was not sent again');
    });
    this.#sending.add(sending);
    void sending.finally(() => this.#sending.delete(sending));
  }

  /** What a login before the confirmation gets. */
  required(username: string): ClientError {
    return new ClientError(
      403,
      `Confirm the e-mail address first: POST ${CONFIRM_PATH} with {"username": "${username}", "code"} from the mail, ` +
        `or have a new code sent: POST ${RESEND_PATH} with {"username"}.`,
    );
  }

  /** Waits for mails on their way. */
  async close(): Promise<void> {
    await Promise.all(this.#sending);
    this.#options.mailer.close();
  }

  async #resend(username: string): Promise<void> {
    const { record } = this.#options;
    const account = await findAccount(record, username);
    if (!account?.mustConfirm) return;
    const { value: code } = await record.transaction((tx) => this.createCode(tx, account));
    await this.send(account, code);
  }

  #limitAddress(address: string): void {
    const key = addressKey(address).slice(0, 256);
    this.#addresses.check(key);
    this.#addresses.count(key);
  }
}
