import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Gate } from './gate.ts';

/** What one hash costs. */
export interface PasswordCost {
  /** KiB */
  readonly memory: number;
  readonly passes: number;
}

/** OWASP Password Storage Cheat Sheet, Argon2id: 19 MiB, 2 passes, 1 lane. About 20 ms a hash. */
export const OWASP_COST: PasswordCost = { memory: 19_456, passes: 2 };

export interface PasswordHasherOptions {
  /** {@link OWASP_COST} unless told. Lower it in tests only. */
  readonly cost?: PasswordCost;
  /** Hashes at a time; 2 unless told: half of libuv's thread pool, so that files, DNS and zlib go on during a login flood. */
  readonly concurrency?: number;
  /** Hashes that may wait; one more is refused with 503. 512 unless told: some seconds' worth. */
  readonly maxQueued?: number;
}

interface Stored extends PasswordCost {
  readonly lanes: number;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

const SALT_BYTES = 16;
const TAG_BYTES = 32;
const argon2Async = promisify<'argon2id', Argon2Parameters, Buffer>(argon2);

/** Argon2id (RFC 9106) in PHC strings, off the event loop, with bounded memory: `concurrency` times the cost's. */
export class PasswordHasher {
  readonly #cost: PasswordCost;
  readonly #gate: Gate;
  readonly #dummy: Stored;

  constructor({ cost = OWASP_COST, concurrency = 2, maxQueued = 512 }: PasswordHasherOptions = {}) {
    this.#cost = cost;
    this.#gate = new Gate({ concurrency, maxQueued });
    this.#dummy = { ...cost, lanes: 1, salt: randomBytes(SALT_BYTES), tag: randomBytes(TAG_BYTES) };
  }

  /** `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>` */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const { memory, passes } = this.#cost;
    const tag = await this.#derive(password, { memory, passes, lanes: 1, salt, tag: new Uint8Array(TAG_BYTES) });
    return `$argon2id$v=19$m=${memory},t=${passes},p=1$${toBase64(salt)}$${toBase64(tag)}`;
  }

  /** Without a hash (no such user) it takes as long, and is false. */
  async verify(hash: string | undefined, password: string): Promise<boolean> {
    const stored = hash === undefined ? this.#dummy : parse(hash);
    return timingSafeEqual(await this.#derive(password, stored), stored.tag) && hash !== undefined;
  }

  /** Whether the hash was made with another cost than today's: hash again at the next login. */
  isOutdated(hash: string): boolean {
    const { memory, passes } = parse(hash);
    return memory !== this.#cost.memory || passes !== this.#cost.passes;
  }

  #derive(password: string, { memory, passes, lanes, salt, tag }: Stored): Promise<Buffer> {
    const parameters = { message: password, nonce: salt, parallelism: lanes, tagLength: tag.length, memory, passes };
    return this.#gate.run(() => argon2Async('argon2id', parameters));
  }
}

function parse(hash: string): Stored {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/-]+)\$([\w+/-]+)$/.exec(hash);
  if (!match) throw new Error('A password hash in lockstep.users is no Argon2id PHC string.');
  const [, memory, passes, lanes, salt = '', tag = ''] = match;
  return {
    memory: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

/** The PHC format's base64: without padding. */
function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
