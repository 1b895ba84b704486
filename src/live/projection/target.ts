import { type Statement, statement } from '../../record/coalesce/statement.ts';
import { Connections, notFlushed, plannedEachTime, send } from '../../record/connections.ts';
import { quoteTable } from '../../record/copy.ts';
import type { Log } from '../../record/log.ts';
import { migrate } from '../../record/migrate.ts';
import { openRecord } from '../../record/open.ts';
import type { PgRecord, RecordTransaction } from '../../record/record.ts';
import type { PendingTable } from '../../views/projection/pending.ts';
import type { ProjectedTable, ProjectionDefinition } from '../../views/projection/projection.ts';
import { type Fragment, remove, upsert } from '../../views/projection/sql.ts';
import { heldKeys, type Letter, letterName, writeLetters } from './letters.ts';
import { writeRows } from './write.ts';

/** Where a projection stands, as the target keeps it. */
export interface ProjectionPosition {
  /** Null while the target is brought in line with a snapshot, and before. */
  readonly epoch: string | null;
  readonly lsn: number | null;
  readonly leader: number;
  readonly letters: number;
  readonly fingerprint: string | null;
}

/** The position is not what this process left it at: another one has taken over, or somebody retried the dead letters. */
export class PositionMoved extends Error {
  constructor(name: string) {
    super(`the position of the projection ${name} was moved by another process`);
    this.name = 'PositionMoved';
  }
}

export interface ProjectionTargetOptions {
  /** `<service>/<projection>` */
  readonly name: string;
  readonly definition: ProjectionDefinition;
  /** Names its migrations. */
  readonly service: string;
  readonly url: string;
  /**
   * The target is the record's own database, so that both have one log: a batch is then not flushed by itself, but with whatever is next
   * (and at the latest by PostgreSQL's own timer). Until then a crash takes rows and position together.
   */
  readonly ownLog?: boolean;
  readonly log: Log;
}

/** One statement for a batch. */
interface Composed {
  readonly sql: string;
  readonly values: readonly string[];
  /** With the target's tables: how, depends on their size. */
  readonly joins: boolean;
}

const OWN_MIGRATIONS = {
  name: 'lockstep-projections',
  schema: 'lockstep',
  folder: new URL('./migrations/', import.meta.url),
};

/** The database that a projection writes to: made ready when it is first asked for, and after it was away. */
export class ProjectionTarget {
  readonly #options: ProjectionTargetOptions;
  readonly #connections: Connections;
  /** For what joins the target's tables. An insert does not, and its foreign keys would be planned anew row by row. */
  readonly #planned: Connections;
  readonly #statements = new Map<string, Statement>();
  #record: Promise<PgRecord> | undefined;

  constructor(options: ProjectionTargetOptions) {
    this.#options = options;
    const { log } = options;
    const url = options.ownLog ? notFlushed(options.url) : options.url;
    this.#connections = new Connections({ url, size: 1, idleMs: 60_000, log });
    this.#planned = new Connections({ url: plannedEachTime(url), size: 1, idleMs: 60_000, log });
  }

  get name(): string {
    return this.#options.name;
  }

  get definition(): ProjectionDefinition {
    return this.#options.definition;
  }

  /** With its tables up to date. */
  record(): Promise<PgRecord> {
    this.#record ??= this.#open().catch((error) => {
      this.#record = undefined;
      throw error;
    });
    return this.#record;
  }

  async close(): Promise<void> {
    const record = await this.#record?.catch(() => undefined);
    await Promise.all([record?.close(), this.#connections.close(), this.#planned.close()]);
  }

  async position(): Promise<ProjectionPosition> {
    return this.positionIn(await this.record());
  }

  async positionIn(reader: Pick<RecordTransaction, 'query'>): Promise<ProjectionPosition> {
    const [row] = await reader.query<ProjectionPosition>(POSITION, [this.name]);
    return row ?? { epoch: null, lsn: null, leader: 0, letters: 0, fingerprint: null };
  }

  /** This process writes from now on, and those before it no more. */
  async takeOver(): Promise<ProjectionPosition> {
    const record = await this.record();
    const { value } = await record.transaction((tx) =>
      tx.query<ProjectionPosition>(
        `insert into lockstep.projections as p (name, leader) values ($1, 1)
         on conflict (name) do update set leader = p.leader + 1 returning ${FIELDS}`,
        [this.name],
      ),
    );
    return value[0]!;
  }

  /** The record has gone on in another epoch, which holds everything up to `judged`; throws where the position is another one by now. */
  async goOn(position: ProjectionPosition, judged: ProjectionPosition, epoch: string): Promise<ProjectionPosition> {
    if (position.epoch !== judged.epoch || position.lsn !== judged.lsn) throw new PositionMoved(this.name);
    const record = await this.record();
    const { value } = await record.transaction(async (tx) => {
      await this.lock(tx, position);
      return this.move(tx, { ...position, epoch });
    });
    return value;
  }

  async held(): Promise<Set<string>> {
    return heldKeys(await this.record(), this.name);
  }

  /**
   * Writes changes and moves the position to `next`, in one statement: one round trip, one commit. Throws `PositionMoved`, and
   * PostgreSQL's error where it refuses a row; then nothing is written. Returns null where it is flushed, and otherwise the end of the
   * log before it: once that is flushed, so is whatever was written before.
   */
  async writeAll(tables: readonly PendingTable[], position: ProjectionPosition, next: number): Promise<number | null> {
    const { sql, values, joins } = this.#compose(tables);
    const { epoch, leader, lsn, letters } = position;
    const query = { ...this.#named(sql), values: [next, this.name, epoch, leader, lsn, letters, ...values] };
    const connections = joins ? this.#planned : this.#connections;
    const { rows } = await connections.use((client) => send<{ moved: number; log: string }>(client, query));
    const { moved, log } = rows[0]!;
    if (Number(moved) !== 1) throw new PositionMoved(this.name);
    return this.#options.ownLog ? Number(log) : null;
  }

  /** One of the few statements that {@link #compose} makes, named once. */
  #named(sql: string): Statement {
    let named = this.#statements.get(sql);
    if (!named) {
      named = statement(sql, []);
      this.#statements.set(sql, named);
    }
    return named;
  }

  /** The same row by row where need be: what cannot be written, or is held back, becomes a dead letter. */
  async writeApart(
    tables: readonly PendingTable[],
    position: ProjectionPosition,
    next: number,
  ): Promise<ProjectionPosition> {
    const record = await this.record();
    const { value } = await record.transaction(async (tx) => {
      await this.lock(tx, position);
      const held = await heldKeys(tx, this.name);
      const letters: Letter[] = [];
      const work = this.definition.tables.map((table, i) => {
        const [waiting, free] = split([...tables[i]!.rows.values()], (row) =>
          held.has(letterName(table.target, row.key)),
        );
        letters.push(...waiting.map((row) => ({ target: table.target, row, reason: row.fault ?? '' })));
        const [gone, put] = split(free, (row) => row.values === null && row.fault === null);
        return { table, truncated: tables[i]!.truncated, gone, put };
      });
      for (const { table, truncated, gone } of work.toReversed()) {
        if (truncated) await this.#truncate(tx, table);
        letters.push(...(await writeRows(tx, table, gone)));
      }
      for (const { table, put } of work) letters.push(...(await writeRows(tx, table, put)));
      await writeLetters(tx, this.name, letters);
      const changed = letters.length > 0 || tables.some(({ truncated }) => truncated);
      return this.move(tx, { ...position, lsn: next, letters: position.letters + Number(changed) });
    });
    return value;
  }

  /** Locks the position until the transaction's end and makes sure that it is `expected`. */
  async lock(tx: RecordTransaction, expected: ProjectionPosition): Promise<void> {
    const [row] = await tx.query<ProjectionPosition>(`${POSITION} for update`, [this.name]);
    const same =
      row && (['epoch', 'lsn', 'leader', 'letters'] as const).every((field) => row[field] === expected[field]);
    if (!same) throw new PositionMoved(this.name);
  }

  async move(tx: RecordTransaction, to: ProjectionPosition): Promise<ProjectionPosition> {
    await tx.query(
      'update lockstep.projections set epoch = $2, lsn = $3, letters = $4, fingerprint = $5, moved_at = now() where name = $1',
      [this.name, to.epoch, to.lsn, to.letters, to.fingerprint],
    );
    return to;
  }

  async #open(): Promise<PgRecord> {
    const { url, log, service, definition } = this.#options;
    const record = await openRecord({ url, log, poolSize: 4 });
    try {
      await migrate(record, OWN_MIGRATIONS);
      await migrate(record, {
        name: `${service}-projection`,
        schema: definition.schema,
        folder: definition.migrations,
      });
      return record;
    } catch (error) {
      await record.close();
      throw error;
    }
  }

  #compose(tables: readonly PendingTable[]): Composed {
    const steps: string[] = [];
    let joins = false;
    const values: string[] = [];
    const add = (fragment: Fragment) => {
      steps.push(`s${steps.length} as (${fragment.sql(FIRST + values.length)})`);
      values.push(...fragment.values);
    };
    tables.forEach(({ rows }, i) => {
      const table = this.definition.tables[i]!;
      const [gone, put] = split([...rows.values()], (row) => row.values === null);
      const keys = gone.map(({ key }) => key);
      if (gone.length > 0) {
        joins = true;
        add(remove(table, keys, GUARD));
      }
      if (put.length > 0) add(upsert(table, put, GUARD));
    });
    return { sql: `with ${[MOVE, ...steps].join(',\n')} ${MOVED}`, values, joins };
  }

  /** The source was emptied: so is the target, and nothing is held back any more. */
  async #truncate(tx: RecordTransaction, { target }: ProjectedTable): Promise<void> {
    await tx.query(`delete from ${quoteTable(target)}`);
    await tx.query('delete from lockstep.dead_letters where projection = $1 and target = $2', [this.name, target]);
  }
}

const FIELDS = 'epoch, lsn, leader, letters, fingerprint';
const POSITION = `select ${FIELDS} from lockstep.projections where name = $1`;

/** Locks the position, compares and moves it; whatever else the statement does is done only if that was so. */
const MOVE = `moved as (
  update lockstep.projections set lsn = $1::bigint, moved_at = now()
   where name = $2::text and epoch = $3::text and leader = $4::bigint and lsn = $5::bigint and letters = $6::bigint
  returning 1)`;
const MOVED = `select count(*)::int as moved, (pg_current_wal_insert_lsn() - '0/0')::text as log from moved`;
const FIRST = 7;
const GUARD = 'exists (select from moved)';

function split<T>(all: readonly T[], chosen: (one: T) => boolean): [T[], T[]] {
  const [yes, no]: [T[], T[]] = [[], []];
  for (const one of all) (chosen(one) ? yes : no).push(one);
  return [yes, no];
}
