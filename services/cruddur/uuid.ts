import { randomFillSync } from 'node:crypto';

/** Random bytes for many of them: one draw from the kernel costs as much as the rest of a write's bookkeeping. */
const pool = Buffer.alloc(16 * 256);
let used = pool.length;

/** A UUID version 7 (RFC 9562, 5.7): random, but made at about the same time close together, so that an index of many stays quick. */
export function uuidV7(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = pool.subarray(used, used + 16);
  used += 16;
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The UUID as the record writes it, or undefined where the text is none. */
export function readUuid(text: unknown): string | undefined {
  return typeof text === 'string' && UUID.test(text) ? text.toLowerCase() : undefined;
}
