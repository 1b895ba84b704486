import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';
import { type Command, InvalidArgumentError } from 'commander';
import { microsToIso, type PgRecord, type Row, type ServiceCli } from '../../src/index.ts';
import { handleKey } from './people.ts';
import { recreate, seed } from './seed.ts';
import { readUuid } from './uuid.ts';

const YES = ['--yes', 'do not ask'] as const;
const LIMIT = ['--limit <rows>', 'at most so many', wholeNumber, 100] as const;

/** `lockstep cruddur ...`: the tables and what is in them, for whoever runs the server. */
export function commands(program: Command, cli: ServiceCli): void {
  tableCommands(program, cli);
  listCommands(program, cli);
}

function tableCommands(program: Command, cli: ServiceCli): void {
  program
    .command('setup')
    .description('drop the tables, make them anew, and seed them')
    .option(...YES)
    .action(async (options: { yes?: true }) => {
      if (!(await agreed('Drop every table of cruddur with everything in it?', options))) return;
      await runSeed(cli, await recreate(await cli.record()));
    });
  program
    .command('seed')
    .description('two users, a long conversation between them, posts that expire in 10 days: the same texts every time')
    .action(() => runSeed(cli));
  program
    .command('tables')
    .description('list the tables')
    .action(async () => {
      const record = await cli.record();
      const tables = await Promise.all((await tablesOf(record)).map((table) => counted(record, table)));
      const lines = tables.map(({ name, rows, about }) => [name, `${about ? 'about ' : ''}${rows} rows`]);
      cli.print(tables, columns(lines));
    });
  program
    .command('scan')
    .description('print what is in a table')
    .argument('<table>', 'its name, as "tables" lists it')
    .option(...LIMIT)
    .action(async (name: string, { limit }: { limit: number }) => {
      const record = await cli.record();
      const table = await checkedTable(record, name);
      const rows = await record.query(`select * from cruddur.${table} limit $1`, [limit]);
      cli.print(rows, rows.map((row) => JSON.stringify(row)).join('\n') || 'nothing is in it');
    });
  program
    .command('drop')
    .description('drop a table with everything in it; "setup" makes it anew')
    .argument('<table>', 'its name, as "tables" lists it')
    .option(...YES)
    .action(async (name: string, options: { yes?: true }) => {
      const record = await cli.record();
      const table = await checkedTable(record, name);
      if (!(await agreed(`Drop cruddur.${table} with everything in it?`, options))) return;
      await record.query(`drop table cruddur.${table} cascade`);
      cli.print({ dropped: table }, `dropped ${table}`);
    });
}

function listCommands(program: Command, cli: ServiceCli): void {
  program
    .command('conversations')
    .description("somebody's conversations, the latest message first")
    .argument('<@handle>', 'whose', (text: string) => text.replace(/^@/, ''))
    .action(async (handle: string) => {
      const record = await cli.record();
      const [user] = await record.query('select from cruddur.users where handle_key = $1', [handleKey(handle)]);
      if (!user) throw new Error(`there is no user @${handle}; "users" lists them`);
      const rows = await record.query<Row>(CONVERSATIONS, [handleKey(handle)]);
      const shown = rows.map(timed);
      const lines = shown.map((row) => [row.uuid, faint(row.created_at), bold(`@${row.handle}`), row.message]);
      cli.print(shown, columns(lines) || `@${handle} has no conversations`);
    });
  program
    .command('conversation')
    .description('the messages of a conversation, oldest first: handle, time, text')
    .argument('<uuid>', 'as "conversations" lists it', uuid)
    .option(...LIMIT)
    .action(async (group: string, { limit }: { limit: number }) => {
      const record = await cli.record();
      const [there] = await record.query('select from cruddur.message_groups where uuid = $1', [group]);
      if (!there) throw new Error(`there is no conversation ${group}; "conversations" lists somebody's`);
      const rows = await record.query<Row>(MESSAGES, [group, limit]);
      const shown = rows.map(timed);
      const lines = shown.map((row) => `${bold(String(row.handle))}  ${faint(row.created_at)}  ${row.message}`);
      cli.print(shown, lines.join('\n') || 'nothing is in it');
    });
  program
    .command('users')
    .description('list the users with their attributes')
    .option(...LIMIT)
    .action(async ({ limit }: { limit: number }) => {
      const rows = await (await cli.record()).query<Row>(USERS, [limit]);
      const shown = rows.map(timed);
      const lines = shown.map((row) => [
        bold(`@${row.handle}`),
        row.display_name,
        row.uuid,
        faint(row.created_at),
        row.bio,
      ]);
      cli.print(shown, columns(lines) || 'there are no users');
    });
}

const CONVERSATIONS = `
  select own.message_group_uuid as uuid, author.handle, last.message, last.created_at
    from cruddur.users me join cruddur.message_group_members own using (user_id)
    join cruddur.message_groups pair on pair.uuid = own.message_group_uuid
    join cruddur.users author on author.user_id = first_user_id + second_user_id - own.user_id
    join lateral (select * from cruddur.messages sent where sent.message_group_uuid = own.message_group_uuid
                   order by message_id desc limit 1) last on true
   where me.handle_key = $1 order by last.message_id desc limit 1000`;

const MESSAGES = `
  select handle, created_at, message, uuid from (
    select sent.message_id, handle, sent.created_at, message, sent.uuid
      from cruddur.messages sent join cruddur.users using (user_id)
     where message_group_uuid = $1 order by message_id desc limit $2) last
   order by message_id`;

const USERS = `
  select handle, display_name, uuid, sub, bio, created_at,
         (select count(*) from cruddur.activities its where its.user_id = users.user_id) as activities
    from cruddur.users order by handle_key limit $1`;

async function runSeed(cli: ServiceCli, accounts?: ReadonlyMap<string, string>): Promise<void> {
  const bar = cli.progress('seeding');
  const record = await cli.record();
  const users = await seed({
    record,
    identity: await cli.identity(),
    ...(accounts && { accounts }),
    progress: (done, of) => bar.update(done, of),
  });
  bar.done();
  const lines = users.map(({ handle, password }) => [
    bold(`@${handle}`),
    password === null ? 'is there already' : `may log in with the password ${password}`,
  ]);
  cli.print(users, columns(lines));
}

interface Table {
  readonly name: string;
  /** The planner's estimate; null before PostgreSQL has looked at the table for the first time. */
  readonly estimate: number | null;
}

function tablesOf(record: PgRecord): Promise<Table[]> {
  return record.query(
    `select relname as name, nullif(reltuples, -1)::bigint as estimate from pg_class
      where relnamespace = 'cruddur'::regnamespace and relkind = 'r' order by relname`,
  );
}

/** How many rows a table has: about, where there is an estimate. */
async function counted(
  record: PgRecord,
  { name, estimate }: Table,
): Promise<{ name: string; rows: number; about: boolean }> {
  if (estimate !== null) return { name, rows: estimate, about: true };
  const [found] = await record.query<{ rows: number }>(`select count(*) as rows from cruddur.${name}`);
  return { name, rows: found!.rows, about: false };
}

/** The table of this name: only one that is there gets into SQL. */
async function checkedTable(record: PgRecord, name: string): Promise<string> {
  const tables = await tablesOf(record);
  const found = tables.find((table) => table.name === name.replace(/^cruddur\./, ''));
  if (found) return found.name;
  throw new Error(`there is no table ${name}; there are ${tables.map((table) => table.name).join(', ') || 'none'}`);
}

async function agreed(question: string, { yes }: { yes?: true }): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) throw new Error(`${question} Say --yes where nobody can be asked.`);
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question(`${question} [y/N] `);
  asking.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** Times as ISO 8601. */
function timed(row: Row): Row {
  return { ...row, created_at: microsToIso(row.created_at as number) };
}

function bold(text: string): string {
  return styleText('bold', text, { stream: process.stdout });
}

function faint(value: unknown): string {
  return styleText('dim', String(value), { stream: process.stdout });
}

const ESCAPES = /\u001b\[\d+m/g;

/** Lines of cells, each column as wide as its widest cell. */
function columns(lines: readonly (readonly unknown[])[]): string {
  const cells = lines.map((line) => line.map((cell) => String(cell ?? '').replaceAll('\n', ' ')));
  const width = (cell: string) => cell.replace(ESCAPES, '').length;
  const widths = cells.reduce<number[]>((most, line) => line.map((cell, i) => Math.max(most[i] ?? 0, width(cell))), []);
  const padded = (cell: string, i: number) => cell + ' '.repeat(widths[i]! - width(cell));
  return cells.map((line) => line.map(padded).join('  ').trimEnd()).join('\n');
}

function wholeNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number of at most 6 digits.');
}

function uuid(text: string): string {
  const read = readUuid(text);
  if (read) return read;
  throw new InvalidArgumentError('Give a UUID.');
}
