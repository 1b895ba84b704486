import type { Row, Value } from '../../../record/value.ts';
import type { Board } from '../../leaderboard/queries.ts';
import type { Drift } from '../../view.ts';
import type { BoardSet } from './board-set.ts';
import type { BoardWindow } from './board-window.ts';
import type { RowTable } from './row-table.ts';

/** Comparisons between two yields. */
const BLOCK = 2048;

/** One of the two states as it is now. */
export interface Side {
  readonly boards: BoardSet;
  /** Changes applied so far: how far entries may have moved since the last look. */
  readonly applied: number;
  /** Ids of rows it cannot hold, in one order. */
  readonly aside: readonly string[];
}

/** Gives the two states anew: each block looks at them as they are then. */
export interface Sides {
  readonly table: string;
  view(): Side;
  record(): Side;
}

/**
 * Where `view` differs from `record`: the rows by id, then every board by rank. Each block is compared at one instant,
 * when both states stand at the same position; what is applied between two blocks moves entries in both alike.
 */
export function* compareBoards(sides: Sides): Generator<Drift | undefined> {
  yield* compareAside(sides);
  yield* compareRows(sides);
  for (const window of windowsOf(sides)) {
    yield* compareBoard(sides, window, 'games');
    yield* compareBoard(sides, window, 'players');
  }
}

function* compareAside({ table, view, record }: Sides): Generator<Drift | undefined> {
  const [mine, its] = [new Set(view().aside), new Set(record().aside)];
  const [inView, inRecord] = [onlyIn(mine, its), onlyIn(its, mine)];
  yield inView || inRecord
    ? { what: `rows of ${table} that memory cannot hold`, inView: inView || 'no more', inRecord: inRecord || 'no more' }
    : undefined;
}

function onlyIn(these: ReadonlySet<string>, those: ReadonlySet<string>): string {
  return [...these]
    .filter((id) => !those.has(id))
    .slice(0, 9)
    .join(', ');
}

/** Every row of the view has its like in the record; then every row of the record is in the view at all. */
function* compareRows({ table, view, record }: Sides): Generator<Drift | undefined> {
  for (let start = 0; start < view().boards.rows.top; start += BLOCK) {
    const [mine, its] = [view().boards.rows, record().boards.rows];
    yield* found(rowsFrom(mine, start), (row) => {
      const id = mine.id(row)!;
      const other = its.find(id);
      const [inView, inRecord] = [mine.read(row), other < 0 ? null : its.read(other)];
      if (!sameRow(inView, inRecord)) return drift(`${table} ${id}`, inView, inRecord);
      const lost = mine.ranks(row) && view().boards.histories.rank(row) < 0;
      return lost ? drift(`${table} ${id} in its player's history`, null, inRecord) : undefined;
    });
  }
  for (let start = 0; start < record().boards.rows.top; start += BLOCK) {
    const [mine, its] = [view().boards.rows, record().boards.rows];
    yield* found(rowsFrom(its, start), (row) =>
      mine.find(its.id(row)!) < 0 ? drift(`${table} ${its.id(row)}`, null, its.read(row)) : undefined,
    );
  }
}

/** The numbers of the rows in one block that are not free. */
function rowsFrom(rows: RowTable, start: number): number[] {
  const numbers: number[] = [];
  for (let row = start; row < Math.min(start + BLOCK, rows.top); row++) if (rows.id(row) !== null) numbers.push(row);
  return numbers;
}

/** Compares all of a block before the first yield: both states may move on at each. */
function* found<T>(block: readonly T[], compare: (one: T) => Drift | undefined): Generator<Drift | undefined> {
  const drifts = block.map(compare).filter((one) => one !== undefined);
  yield* drifts.length > 0 ? drifts : [undefined];
}

/** A window that both states hold, by its name; what it is in each is looked up at each block. */
interface NamedWindow {
  readonly name: string;
  in(boards: BoardSet): BoardWindow | null | undefined;
}

function windowsOf({ view, record }: Sides): NamedWindow[] {
  const windows: NamedWindow[] = [{ name: 'overall', in: (boards) => boards.overall ?? undefined }];
  for (const kind of ['monthly', 'daily'] as const) {
    const numbers = [view(), record()].flatMap(({ boards }) => [...(boards[kind]?.windows.keys() ?? [])]);
    for (const number of new Set(numbers))
      windows.push({ name: windowName(kind, number), in: seriesWindow(kind, number) });
  }
  return windows;
}

function seriesWindow(kind: 'monthly' | 'daily', number: number): NamedWindow['in'] {
  return (boards) => {
    const series = boards[kind];
    return !series || number < series.floor ? undefined : (series.windows.get(number) ?? null);
  };
}

function windowName(kind: 'monthly' | 'daily', number: number): string {
  if (kind === 'daily') return `daily ${new Date(number * 86_400_000).toISOString().slice(0, 10)}`;
  return `monthly ${Math.floor(number / 12)}-${String((number % 12) + 1).padStart(2, '0')}`;
}

/**
 * Walks down both boards at once, and tells which entry only one of them has. Entries that changes may have moved past
 * the last look are looked at again.
 */
function* compareBoard(sides: Sides, window: NamedWindow, board: Board): Generator<Drift | undefined> {
  const told = new Set<string>();
  const walk = { view: 0, record: 0, applied: sides.view().applied };
  for (;;) {
    const step = walkBlock(sides, window, board, walk);
    if (!step) return;
    const news = step.filter(({ what }) => !told.has(what));
    for (const { what } of news) told.add(what);
    yield* news.length > 0 ? news : [undefined];
  }
}

interface Walk {
  /** Entries passed in each. */
  view: number;
  record: number;
  applied: number;
}

/** Compares one block and moves `walk` on; undefined at the end, or where one of the states let go of the window. */
function walkBlock({ view, record }: Sides, window: NamedWindow, board: Board, walk: Walk): Drift[] | undefined {
  const [mine, its] = [view(), record()];
  const [inView, inRecord] = [window.in(mine.boards), window.in(its.boards)];
  if (inView === undefined || inRecord === undefined) return undefined;
  const back = Math.min(mine.applied - walk.applied, BLOCK / 2);
  walk.applied = mine.applied;
  walk.view = Math.max(0, walk.view - back);
  walk.record = Math.max(0, walk.record - back);
  const left = inView?.[board].range(walk.view, BLOCK) ?? [];
  const right = inRecord?.[board].range(walk.record, BLOCK) ?? [];
  if (left.length === 0 && right.length === 0) return undefined;
  const name = `${board} ${window.name}`;
  const merged = merge({ name, left, right, mine: mine.boards.rows, its: its.boards.rows });
  walk.view += merged.left;
  walk.record += merged.right;
  const lost = board === 'players' ? lostBests(name, inView, mine.boards.rows, left.slice(0, merged.left)) : [];
  return [...merged.drifts, ...lost];
}

interface Merge {
  readonly name: string;
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly mine: RowTable;
  readonly its: RowTable;
}

/** Walks both lists to the end of one of them, or of both where one is the end of its board. */
function merge({ name, left, right, mine, its }: Merge): { left: number; right: number; drifts: Drift[] } {
  const drifts: Drift[] = [];
  let i = 0;
  let j = 0;
  const more = (): boolean => (i < left.length || left.length < BLOCK) && (j < right.length || right.length < BLOCK);
  while (more() && (i < left.length || j < right.length)) {
    const [a, b] = [left[i], right[j]];
    const order = a === undefined ? 1 : b === undefined ? -1 : compareAcross(mine, a, its, b);
    if (order < 0) drifts.push(drift(`${name}, row ${mine.id(a!)}`, mine.read(a!), null));
    if (order > 0) drifts.push(drift(`${name}, row ${its.id(b!)}`, null, its.read(b!)));
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return { left: i, right: j, drifts };
}

/** The boards' order between rows of two tables. */
function compareAcross(mine: RowTable, a: number, its: RowTable, b: number): number {
  const id = mine.id(a)! - its.id(b)!;
  if (id === 0) return 0;
  return mine.byScore.key(a) - its.byScore.key(b) || compareNumbers(mine.time(a), its.time(b)) || id;
}

/** Infinities of one sign are equal; their difference is none. */
function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Rows on a board of players that are not known as their players' best. */
function lostBests(name: string, window: BoardWindow | null, rows: RowTable, block: readonly number[]): Drift[] {
  const lost = block.filter((row) => window!.bests.of(rows.player(row)) !== row);
  return lost.map((row) => drift(`${name}, best of its player, row ${rows.id(row)}`, null, rows.read(row)));
}

function drift(what: string, inView: Row | null, inRecord: Row | null): Drift {
  return { what, inView: text(inView), inRecord: text(inRecord) };
}

function text(row: Row | null): string {
  return row ? JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value)) : 'absent';
}

function sameRow(a: Row, b: Row | null): boolean {
  return b !== null && Object.keys(a).every((column) => sameValue(a[column], b[column]));
}

function sameValue(a: Value, b: Value): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) === 0 : Object.is(a, b);
}
