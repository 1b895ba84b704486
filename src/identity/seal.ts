import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';

/** Encrypts private keys at rest. `name` binds a ciphertext to its row. */
export interface Seal {
  seal(plain: Uint8Array, name: string): Uint8Array;
  /** Throws where the secret is another one, or the row was changed. */
  open(sealed: Uint8Array, name: string): Uint8Array;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM under a key derived from the secret by scrypt. Layout: IV, tag, ciphertext. */
export function createSeal(secret: string): Seal {
  const key = scryptSync(secret, 'lockstep signing keys', 32);
  return {
    seal(plain, name) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(name));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]);
    },
    open(sealed, name) {
      const iv = sealed.subarray(0, IV_BYTES);
      const tag = sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(name)).setAuthTag(tag);
      return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    },
  };
}
