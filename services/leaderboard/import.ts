import { isoToMicros, microsToIso, type PgRecord } from '../../src/index.ts';
import { found, readResult } from './game.ts';
import { BadRecord, JsonRecords } from './json-records.ts';
import type { Settings } from './settings.ts';

/** One game of a file: `gamedate` as ISO 8601, UTC where it names no offset. */
interface FileGame {
  readonly username?: unknown;
  readonly gamedate?: unknown;
  readonly level?: unknown;
  readonly score?: unknown;
}

export interface ImportOptions {
  readonly record: PgRecord;
  /** The file's bytes: a JSON array or JSON lines of `{"username","gamedate":"2019-11-06T04:03:45","score","level"}`. */
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly settings: Settings;
  /** Bytes read so far. */
  readonly progress?: (bytes: number) => void;
}

const COLUMNS = ['username', 'gamedate', 'level', 'score'];

/** Loads games in bulk in one transaction, all or nothing, and returns their number. Throws `BadRecord` for the first bad one. */
export async function importGames(options: ImportOptions): Promise<number> {
  const { value } = await options.record.transaction((tx) =>
    options.record.copyIn(tx, 'leaderboard.games', COLUMNS, copyLines(options), { indexesAfter: true }),
  );
  return value;
}

/** The file as lines of COPY's text format. */
export async function* copyLines(options: Omit<ImportOptions, 'record'>): AsyncGenerator<string> {
  let lines = '';
  const records = new JsonRecords({
    onRecord: (value, line) => {
      lines += copyLine(value, line, options.settings);
    },
  });
  let bytes = 0;
  for await (const chunk of options.chunks) {
    records.push(chunk);
    bytes += chunk.length;
    options.progress?.(bytes);
    if (lines !== '') yield lines;
    lines = '';
  }
  records.end();
  if (lines !== '') yield lines;
}

function copyLine(value: unknown, line: number, settings: Settings): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadRecord(line, `expected an object, found ${found(value)}`);
  const game = value as FileGame;
  const username = copyName(game.username, line);
  const time = copyTime(game.gamedate, line);
  const result = readResult(game, settings);
  if (typeof result === 'string') throw new BadRecord(line, result);
  return `${username}\t${time}\t${result.level}\t${result.score}\n`;
}

/** The days that boards hold: microseconds within 2^53 of 1970. A row beyond them would send every read to the record. */
const [FIRST_DAY, LAST_DAY] = ['1684-07-29', '2255-06-04'];
const [EARLIEST, LATEST] = [isoToMicros(FIRST_DAY)!, isoToMicros(`${LAST_DAY}T23:59:59.999999`)!];

/** A time as a field of COPY's text format. */
function copyTime(gamedate: unknown, line: number): string {
  const time = typeof gamedate === 'string' ? isoToMicros(gamedate) : undefined;
  if (time === undefined || !Number.isFinite(time))
    throw new BadRecord(line, `gamedate must be a time such as "2019-11-06T04:03:45", found ${found(gamedate)}`);
  if (time < EARLIEST || time > LATEST)
    throw new BadRecord(line, `gamedate must be from ${FIRST_DAY} to ${LAST_DAY} in UTC, found ${found(gamedate)}`);
  return microsToIso(time);
}

const MAX_NAME = 128;

/** A name as a field of COPY's text format, where a backslash escapes. */
function copyName(name: unknown, line: number): string {
  if (!isName(name))
    throw new BadRecord(line, `username must be text of 1 to ${MAX_NAME} printable characters, found ${found(name)}`);
  return name.includes('\\') ? name.replaceAll('\\', '\\\\') : name;
}

/** PostgreSQL stores neither U+0000 nor half of a surrogate pair, which would arrive as another character. */
function isName(name: unknown): name is string {
  if (typeof name !== 'string' || name.length === 0 || name.length > MAX_NAME) return false;
  return name.isWellFormed() && !/[\x00-\x1f\x7f]/.test(name);
}
