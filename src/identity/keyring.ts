import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint } from 'jose';
import type { PgRecord, RecordReader, RecordTransaction } from '../record/record.ts';
import { microsToIso } from '../record/time.ts';
import type { JwksDocument } from './identity.ts';
import { type KeyPolicy, type KeyTimes, planKeys, signingKey } from './key-plan.ts';
import type { Seal } from './seal.ts';

export interface SigningKey extends KeyTimes {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface KeyringOptions {
  readonly record: PgRecord;
  readonly policy: KeyPolicy;
  /** Without one, private keys lie unencrypted in `lockstep.signing_keys`. */
  readonly seal?: Seal;
  /** Microseconds since 1970 UTC. */
  readonly clock: () => number;
}

interface KeyRow {
  readonly kid: string;
  readonly private_key: Uint8Array;
  readonly sealed: boolean;
  readonly active_from: number;
}

const generate = promisify(generateKeyPair);

/** The signing keys in the record, shared by all processes on it, so that tokens outlive restarts. RS256, 2048 bits. */
export class Keyring {
  readonly #options: KeyringOptions;
  #keys: ReadonlyMap<string, SigningKey> = new Map();

  constructor(options: KeyringOptions) {
    this.#options = options;
  }

  /** The key that signs now. */
  get current(): SigningKey {
    const key = signingKey([...this.#keys.values()], this.#options.clock());
    if (!key) throw new Error('No signing key: the clock has been set to before lockstep.signing_keys.active_from.');
    return key;
  }

  /** A published key: the current one, the next, or one whose tokens are still out. */
  find(kid: string | undefined): SigningKey | undefined {
    return kid === undefined ? undefined : this.#keys.get(kid);
  }

  /** Every published key (RFC 7517). */
  jwks(): JwksDocument {
    const keys = [...this.#keys.values()].map(({ kid, publicKey }) => {
      const { kty, n, e } = publicKey.export({ format: 'jwk' });
      return { kty, n, e, kid, alg: 'RS256', use: 'sig' };
    });
    return { keys };
  }

  /** Reads the record: other processes' keys come, retired ones go. */
  async refresh(): Promise<void> {
    this.#keys = await this.#load(this.#options.record);
  }

  /** Creates the next key when it is due, deletes those no token needs. Processes take turns. */
  async maintain(): Promise<void> {
    const { record, clock, policy } = this.#options;
    await record.transaction(async (tx) => {
      await lock(tx);
      const keys = [...(await this.#load(tx)).values()];
      const { create, retire } = planKeys(keys, clock(), policy);
      if (create !== null) await this.#create(tx, create);
      for (const kid of retire) await tx.query('delete from lockstep.signing_keys where kid = $1', [kid]);
    });
    await this.refresh();
  }

  /** Publishes a new key ahead of its time. Returns the `kid` of it, or of the one that is published ahead already. */
  async rotate(): Promise<string> {
    const { record, clock, policy } = this.#options;
    const { value } = await record.transaction(async (tx) => {
      await lock(tx);
      const now = clock();
      const pending = [...(await this.#load(tx)).values()].find((key) => key.activeFrom > now);
      return pending?.kid ?? this.#create(tx, now + policy.publishAhead);
    });
    await this.refresh();
    return value;
  }

  async #create(tx: RecordTransaction, activeFrom: number): Promise<string> {
    const { privateKey, publicKey } = await generate('rsa', { modulusLength: 2048 });
    const kid = await calculateJwkThumbprint(publicKey);
    const plain = privateKey.export({ type: 'pkcs8', format: 'der' });
    const { seal } = this.#options;
    await tx.query(
      'insert into lockstep.signing_keys (kid, private_key, sealed, active_from) values ($1, $2, $3, $4)',
      [kid, seal ? seal.seal(plain, kid) : plain, seal !== undefined, microsToIso(activeFrom)],
    );
    return kid;
  }

  async #load(reader: RecordReader): Promise<Map<string, SigningKey>> {
    const rows = await reader.query<KeyRow>(
      'select kid, private_key, sealed, active_from from lockstep.signing_keys order by active_from',
    );
    return new Map(rows.map((row) => [row.kid, this.find(row.kid) ?? this.#parse(row)]));
  }

  #parse({ kid, private_key, sealed, active_from }: KeyRow): SigningKey {
    const der = sealed ? this.#unseal(private_key, kid) : private_key;
    const privateKey = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
    return { kid, privateKey, publicKey: createPublicKey(privateKey), activeFrom: active_from };
  }

  #unseal(sealed: Uint8Array, kid: string): Uint8Array {
    const { seal } = this.#options;
    try {
      if (seal) return seal.open(sealed, kid);
    } catch {
      // The cause would only say "unable to authenticate data".
    }
    throw new Error(
      `LOCKSTEP_SECRET is ${seal ? 'another one than' : 'unset, but was set'} when signing key ${kid} was stored. Set it to what it was, ` +
        'or run "delete from lockstep.signing_keys" to start with new keys: everybody then logs in again.',
    );
  }
}

function lock(tx: RecordTransaction): Promise<unknown> {
  return tx.query("select pg_advisory_xact_lock(hashtextextended('lockstep signing keys', 0))");
}
