/** A bucket's pointer: a hash that says which generation is served and who may write. All the bucket's keys begin with it. */
export function pointerOf(view: string, bucket: number): string {
  return `lockstep:{${view}:${bucket}}`;
}

export interface KeyName {
  readonly view: string;
  readonly bucket: number;
  /** Null of the pointer itself. */
  readonly generation: string | null;
}

/** What a key of the store belongs to; undefined for others' keys. */
export function parseKey(key: string): KeyName | undefined {
  const match = /^lockstep:\{(.+):(\d+)\}(?::(\d+)(?::|$)|$)/s.exec(key);
  return match ? { view: match[1]!, bucket: Number(match[2]), generation: match[3] ?? null } : undefined;
}

/** A pattern of SCAN that finds all keys of a view (and perhaps more). */
export function keysOf(view: string): string {
  return `lockstep:{${view.replace(/[*?[\]\\]/g, '\\$&')}:*`;
}
