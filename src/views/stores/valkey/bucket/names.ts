export interface KeyName {
  readonly view: string;
  readonly bucket: number;
  /** Null of the pointer itself. */
  readonly generation: string | null;
}

/** The names of one database's keys, which all begin with `prefix`: several databases may share a server. */
export class KeyNames {
  /** `lockstep:<database>:` */
  readonly prefix: string;

  constructor(database: string) {
    this.prefix = `lockstep:${database}:`;
  }

  /** A bucket's pointer: a hash that says which generation is served and who may write. All the bucket's keys begin with it. */
  pointer(view: string, bucket: number): string {
    return `${this.prefix}{${view}:${bucket}}`;
  }

  /** A pattern of SCAN that finds all keys of a view, or of all views (and perhaps more). */
  pattern(view?: string): string {
    return `${escaped(this.prefix)}{${view === undefined ? '' : `${escaped(view)}:`}*`;
  }

  /** What a key of the store belongs to; undefined for others' keys. */
  parse(key: string): KeyName | undefined {
    if (!key.startsWith(this.prefix)) return undefined;
    const match = /^\{(.+):(\d+)\}(?::(\d+)(?::|$)|$)/s.exec(key.slice(this.prefix.length));
    return match ? { view: match[1]!, bucket: Number(match[2]), generation: match[3] ?? null } : undefined;
  }
}

function escaped(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&');
}
