import type { PgRecord } from '../record/record.ts';
import { type Ask, readTables, type TableFacts } from './catalog.ts';
import { identifier, literal, qualified } from './quote.ts';

const OPTIONS = `publish = 'insert, update, delete, truncate', publish_via_partition_root = true`;

interface PublicationFacts {
  readonly allTables: boolean;
  /** Publishes every operation, and partitions' changes as their root's. */
  readonly complete: boolean;
  readonly members: ReadonlyMap<string, Member>;
}

interface Member {
  readonly filtered: boolean;
  readonly columns: readonly string[] | null;
}

/**
 * Makes the publication, or adds to it what is missing; never takes a table out, since others may follow through it. Checks that
 * PostgreSQL lets rows of the tables be changed and says which one was (replica identity). Throws an Error with the SQL to run.
 */
export async function ensurePublication(record: PgRecord, name: string, tables: readonly string[]): Promise<void> {
  await record.transaction(async (tx) => {
    const ask: Ask = (sql, parameters) => tx.query<Record<string, unknown>>(sql, parameters);
    await ask(`select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('lockstep publication'))`);
    const facts = await readTables(ask, tables);
    checkTables(tables, facts);
    const statement = change(name, tables, await readPublication(ask, name));
    for (const sql of statement) await run(ask, sql);
    await checkPublished({ ask, publication: name, tables, facts });
  });
}

/** The statements that make the publication what is needed. */
function change(name: string, tables: readonly string[], now: PublicationFacts | undefined): string[] {
  const publication = identifier(name);
  const list = (wanted: readonly string[]) => wanted.map(qualified).join(', ');
  if (!now) {
    const forTables = tables.length > 0 ? `for table ${list(tables)} ` : '';
    return [`create publication ${publication} ${forTables}with (${OPTIONS})`];
  }
  const missing = now.allTables ? [] : tables.filter((table) => !now.members.has(table));
  return [
    ...(now.complete ? [] : [`alter publication ${publication} set (${OPTIONS})`]),
    ...(missing.length > 0 ? [`alter publication ${publication} add table ${list(missing)}`] : []),
  ];
}

async function run(ask: Ask, sql: string): Promise<void> {
  try {
    await ask(sql);
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code !== '42501') throw error;
    throw new Error(
      `the database user may not change the publication (${message}); let the tables' owner run: ${sql}`,
      {
        cause: error,
      },
    );
  }
}

/** Whether the publication brings all changes of the tables, whole; throws what is not so. */
export async function checkPublished(options: {
  ask: Ask;
  publication: string;
  tables: readonly string[];
  facts: ReadonlyMap<string, TableFacts>;
}): Promise<void> {
  const { ask, publication, tables, facts } = options;
  checkTables(tables, facts);
  const now = await readPublication(ask, publication);
  if (!now) throw new Error(`there is no publication "${publication}": call ensurePublication first`);
  if (!now.complete) {
    throw new Error(
      `publication "${publication}" leaves changes out; run: ALTER PUBLICATION ${identifier(publication)} SET (${OPTIONS})`,
    );
  }
  for (const table of tables) checkMember(publication, facts.get(table)!, now.members.get(table));
}

function checkMember(publication: string, table: TableFacts, member: Member | undefined): void {
  const alter = `ALTER PUBLICATION ${identifier(publication)}`;
  const name = qualified(table.name);
  if (!member) throw new Error(`${table.name} is not in publication "${publication}"; run: ${alter} ADD TABLE ${name}`);
  const hidden = member.columns
    ? table.columns.filter((column) => !column.generated && !member.columns!.includes(column.name))
    : [];
  if (!member.filtered && hidden.length === 0) return;
  const what = member.filtered ? 'only some rows' : `no column ${hidden.map((column) => column.name).join(', ')}`;
  throw new Error(
    `publication "${publication}" has ${what} of ${table.name}, and views need them; run: ${alter} DROP TABLE ${name}; ` +
      `${alter} ADD TABLE ${name}`,
  );
}

function checkTables(tables: readonly string[], facts: ReadonlyMap<string, TableFacts>): void {
  for (const name of tables) {
    const table = facts.get(name);
    if (!table) throw new Error(`there is no table ${name} (expected schema.name of a table in this database)`);
    for (const part of [table, ...table.partitions]) checkPersistence(part);
    checkIdentity(table);
  }
}

function checkPersistence({ name, persistence }: { name: string; persistence: string }): void {
  if (persistence === 'p') return;
  throw new Error(
    `${name} is ${persistence === 'u' ? 'unlogged' : 'temporary'}: its changes are not in the log. ` +
      `Run: ALTER TABLE ${qualified(name)} SET LOGGED`,
  );
}

/** Without an identity PostgreSQL refuses UPDATE and DELETE on a published table; a partition's own is what counts. */
function checkIdentity(table: TableFacts): void {
  const parts = table.partitions.length > 0 ? table.partitions : [table];
  for (const part of parts) {
    const usable = part.identity === 'f' || (part.identity !== 'n' && table.key.length > 0);
    if (usable && (part.identity !== 'i' || part === table)) continue;
    throw new Error(
      `${part.name} has no replica identity that views can use (found: ${IDENTITIES[part.identity] ?? part.identity}` +
        `${table.key.length > 0 ? '' : ', no primary key'}). Give it a primary key and run: ` +
        `ALTER TABLE ${qualified(part.name)} REPLICA IDENTITY DEFAULT; or, without one, REPLICA IDENTITY FULL`,
    );
  }
}

const IDENTITIES: Readonly<Record<string, string>> = {
  d: 'default',
  f: 'full',
  i: 'an index, which a partition must not have',
  n: 'nothing',
};

/** Columns differ between PostgreSQL 14 and 18, so rows are read as JSON. */
async function readPublication(ask: Ask, name: string): Promise<PublicationFacts | undefined> {
  const [row] = await ask(
    `select puballtables as "allTables", pubinsert and pubupdate and pubdelete and pubtruncate and pubviaroot as complete,
       (select coalesce(json_agg(to_jsonb(t)), '[]')::text from pg_catalog.pg_publication_tables t where t.pubname = p.pubname)
         as members
     from pg_catalog.pg_publication p where pubname = ${literal(name)}`,
  );
  if (!row) return undefined;
  const members = JSON.parse(String(row.members)) as {
    schemaname: string;
    tablename: string;
    attnames?: string[];
    rowfilter?: string | null;
  }[];
  return {
    allTables: row.allTables === true,
    complete: row.complete === true,
    members: new Map(
      members.map(({ schemaname, tablename, attnames, rowfilter }) => [
        `${schemaname}.${tablename}`,
        { filtered: Boolean(rowfilter), columns: attnames ?? null },
      ]),
    ),
  };
}
