import type { Key } from '../../lazy.ts';

/** Keys in one call: Lua passes about 8,000 arguments at once. */
const MAX_KEYS = 1000;

/** Keys of one bucket, each of them once. */
export interface BucketKeys {
  readonly bucket: number;
  readonly keys: Key[];
}

/** Which of so many buckets a key is in: FNV-1a of its text, the same on every node. */
export function bucketOf(key: Key, buckets: number): number {
  const text = String(key);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % buckets;
}

/** The keys by their buckets, in the order in which they first come; a bucket again after each thousand. */
export function byBucket(keys: readonly Key[], buckets: number): BucketKeys[] {
  if (keys.length === 1) return [{ bucket: bucketOf(keys[0]!, buckets), keys: [keys[0]!] }];
  const groups: BucketKeys[] = [];
  const open = new Map<number, BucketKeys>();
  for (const key of new Set(keys)) {
    const bucket = bucketOf(key, buckets);
    let group = open.get(bucket);
    if (!group || group.keys.length === MAX_KEYS) {
      group = { bucket, keys: [] };
      groups.push(group);
      open.set(bucket, group);
    }
    group.keys.push(key);
  }
  return groups;
}
