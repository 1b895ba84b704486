import { addressKey } from './address.ts';
import { usernameKey } from './policy.ts';
import { Throttle } from './throttle.ts';

/** Longer ones are no names; this bounds the memory a key takes. */
const MAX_KEY_LENGTH = 256;

/** A login under way. */
export interface LoginAttempt {
  /** The password was wrong. */
  fail(): void;
  /** Always, at the end. */
  end(): void;
}

/**
 * Wrong passwords are bounded: for each account 20, then one in 30 s; for each address 100, then one a second. An attempt counts
 * for its account from its start, so that many at once are no way around it; unless it fails it is given back. Success
 * costs nothing, whatever the number of users behind one address. Unknown names count like known ones.
 * The price: whoever keeps guessing keeps the account's owner out, too, for as long as the guessing goes on.
 */
export class LoginThrottle {
  readonly #accounts: Throttle;
  readonly #addresses: Throttle;

  constructor({ clock }: { clock: () => number }) {
    this.#accounts = new Throttle({ burst: 20, everySeconds: 30, clock });
    this.#addresses = new Throttle({ burst: 100, everySeconds: 1, clock });
  }

  /** Throws 429. */
  start(username: string, address: string): LoginAttempt {
    const account = usernameKey(username).slice(0, MAX_KEY_LENGTH);
    const from = addressKey(address).slice(0, MAX_KEY_LENGTH);
    this.#addresses.check(from);
    this.#accounts.check(account);
    this.#accounts.count(account);
    let failed = false;
    return {
      fail: () => {
        failed = true;
        this.#addresses.count(from);
      },
      end: () => {
        if (!failed) this.#accounts.giveBack(account);
      },
    };
  }
}
