/** What an entry of a sorted set says besides its score. */
export interface Member {
  readonly username: string;
  readonly gamedate: string;
  readonly level: number;
}

export interface Entry extends Member {
  readonly score: number;
}

/** The three sorted sets in Redis, as one client library reaches them. */
export interface Boards {
  /** One ZADD for each key. */
  add(keys: readonly string[], score: number, member: string): Promise<void>;
  /** One ZREVRANGE WITHSCORES for each key. */
  top(keys: readonly string[], limit: number): Promise<Entry[][]>;
  close(): Promise<void>;
}

/** The sorted sets a game is in: of all time, of its month, of its day. `day` is `yyyy-mm-dd`. */
export function keysOf(day: string): string[] {
  return ['overall', `monthly:${day.slice(0, 7)}`, `daily:${day}`];
}

export function memberOf({ username, gamedate, level }: Member): string {
  return JSON.stringify({ username, gamedate, level });
}

export function entryOf(member: string, score: number): Entry {
  const { username, gamedate, level } = JSON.parse(member) as Member;
  return { username, gamedate, level, score };
}
