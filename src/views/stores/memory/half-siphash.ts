/**
 * HalfSipHash-1-3, keyed: names are chosen by users, and with a hash they can compute they could make every lookup walk
 * through all names. Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", in its authors' 32-bit variant.
 */
export function halfSipHash(key: Int32Array, bytes: Uint8Array, start: number, end: number): number {
  let v0 = key[0]!;
  let v1 = key[1]!;
  let v2 = 0x6c796765 ^ v0;
  let v3 = 0x74656462 ^ v1;
  const words = (end - start) >>> 2;
  // One round for each whole word, one for the rest with the length, three to finish: one loop, so that it is inlined.
  for (let i = 0; i < words + 4; i++) {
    const word = i <= words ? wordAt(bytes, start + i * 4, end, end - start) : 0;
    v3 ^= word;
    if (i === words + 1) v2 ^= 0xff;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return (v1 ^ v3) >>> 0;
}

/** Four bytes, little-endian; at the end what is left of them, with the length above. */
function wordAt(bytes: Uint8Array, at: number, end: number, length: number): number {
  if (at + 4 <= end) return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  let word = length << 24;
  for (let i = at; i < end; i++) word |= bytes[i]! << ((i - at) * 8);
  return word;
}
