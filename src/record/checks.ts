import { silent } from './log.ts';
import { openRecord } from './open.ts';
import type { PgRecord, RecordReader } from './record.ts';

/** What a PostgreSQL server says about itself and the user it was asked as. */
export interface RecordFacts {
  /** As `server_version_num`: 140012 is 14.12. */
  readonly version: number;
  readonly walLevel: string;
  readonly inRecovery: boolean;
  readonly encoding: string;
  readonly fsync: string;
  readonly synchronousCommit: string;
  readonly user: string;
  readonly database: string;
  readonly mayCreate: boolean;
  /** Whom replication connections are made as, and whether that user may. */
  readonly replicationUser: string;
  readonly mayReplicate: boolean;
  readonly maxSlots: number;
  readonly usedSlots: number;
  readonly maxSenders: number;
  readonly usedSenders: number;
  /** Slots that this configuration makes, beside those that are there, and senders that it uses at once. */
  readonly neededSlots: number;
  readonly neededSenders: number;
}

/** Something about the server that Lockstep cannot work with. */
export interface RecordProblem {
  readonly found: string;
  readonly fix: string;
}

/** The server cannot be the record; the message has every problem with its fix. */
export class RecordUnfit extends Error {
  readonly problems: readonly RecordProblem[];
  constructor(problems: readonly RecordProblem[]) {
    const list = problems.map(({ found, fix }) => `  - ${found}\n    Fix: ${fix}`).join('\n');
    super(`The PostgreSQL of DATABASE_URL is not ready for Lockstep:\n${list}`);
    this.name = 'RecordUnfit';
    this.problems = problems;
  }
}

/** One slot for the views and one while a single view is rebuilt beside them. */
const TEMPORARY_SLOTS = 2;

/**
 * Throws `RecordUnfit` when the server behind the record, any PostgreSQL from 14 on, lacks something. `durableSlots` are the names
 * of those that will be followed, one for each projection.
 */
export async function checkRecord(record: PgRecord, durableSlots: readonly string[] = []): Promise<void> {
  const problems = problemsOf(await gatherFacts(record, durableSlots));
  if (problems.length > 0) throw new RecordUnfit(problems);
}

/** What is wrong with a server, worst first; nothing when it will do. */
export function problemsOf(facts: RecordFacts): RecordProblem[] {
  if (facts.version < 140_000) {
    const found = `it is PostgreSQL ${Math.floor(facts.version / 10_000)}; Lockstep needs 14 or newer`;
    return [{ found, fix: 'upgrade it (pg_upgrade), or unset DATABASE_URL to use the embedded PostgreSQL.' }];
  }
  const checks = [primary, walLevel, replicationRight, slots, senders, createRight, encoding, commits, fsync];
  return checks.map((check) => check(facts)).filter((problem) => problem !== undefined);
}

type Check = (facts: RecordFacts) => RecordProblem | undefined;

const primary: Check = ({ inRecovery }) =>
  inRecovery
    ? { found: 'it is a standby (in recovery), which takes no writes', fix: 'let DATABASE_URL point to the primary.' }
    : undefined;

const walLevel: Check = ({ walLevel: found }) =>
  found === 'logical'
    ? undefined
    : {
        found: `wal_level is ${found}; the change feed needs logical`,
        fix:
          "ALTER SYSTEM SET wal_level = 'logical'; then restart the server. (Amazon RDS and Aurora: rds.logical_replication = 1 in " +
          'the parameter group; Cloud SQL: the flag cloudsql.logical_decoding = on; each with a restart.)',
      };

const replicationRight: Check = ({ mayReplicate, replicationUser }) =>
  mayReplicate
    ? undefined
    : {
        found: `user ${replicationUser} may not replicate`,
        fix: `ALTER ROLE ${quoted(replicationUser)} REPLICATION; as a superuser. (Amazon RDS and Aurora: GRANT rds_replication TO ${quoted(replicationUser)};)`,
      };

const slots: Check = ({ maxSlots, usedSlots, neededSlots }) =>
  maxSlots - usedSlots >= neededSlots
    ? undefined
    : {
        found: `${usedSlots} of ${maxSlots} replication slots are in use (max_replication_slots); Lockstep needs ${neededSlots} free`,
        fix:
          `ALTER SYSTEM SET max_replication_slots = ${usedSlots + neededSlots + 6}; then restart the server. Or drop one that nobody ` +
          'uses: SELECT slot_name, active FROM pg_replication_slots; SELECT pg_drop_replication_slot(...);',
      };

const senders: Check = ({ maxSenders, usedSenders, neededSenders }) =>
  maxSenders - usedSenders >= neededSenders
    ? undefined
    : {
        found: `${usedSenders} of ${maxSenders} WAL senders are in use (max_wal_senders); Lockstep needs ${neededSenders} free`,
        fix: `ALTER SYSTEM SET max_wal_senders = ${usedSenders + neededSenders + 6}; then restart the server.`,
      };

const createRight: Check = ({ mayCreate, user, database }) =>
  mayCreate
    ? undefined
    : {
        found: `user ${user} may not create schemas in database ${database}`,
        fix: `GRANT CREATE ON DATABASE ${quoted(database)} TO ${quoted(user)};`,
      };

const encoding: Check = ({ encoding: found, database }) =>
  found === 'UTF8'
    ? undefined
    : {
        found: `the encoding of database ${database} is ${found}; Lockstep needs UTF8`,
        fix: "CREATE DATABASE lockstep ENCODING 'UTF8' TEMPLATE template0; and name that one in DATABASE_URL.",
      };

const commits: Check = ({ synchronousCommit, user }) =>
  synchronousCommit !== 'off'
    ? undefined
    : {
        found: 'synchronous_commit is off: a crash would lose writes that were acknowledged',
        fix: `ALTER ROLE ${quoted(user)} SET synchronous_commit = on;`,
      };

const fsync: Check = ({ fsync: found }) =>
  found === 'on'
    ? undefined
    : {
        found: 'fsync is off: a crash would lose writes that were acknowledged, or the whole database',
        fix: 'ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf();',
      };

const SERVER = `
  select current_setting('server_version_num')::integer as version,
         current_setting('wal_level') as "walLevel",
         pg_is_in_recovery() as "inRecovery",
         current_setting('server_encoding') as encoding,
         current_setting('fsync') as fsync,
         current_setting('synchronous_commit') as "synchronousCommit",
         current_user::text as user,
         current_database()::text as database,
         has_database_privilege(current_database(), 'CREATE') as "mayCreate",
         current_setting('max_replication_slots')::integer as "maxSlots",
         (select count(*) from pg_replication_slots) as "usedSlots",
         $2::integer + $3::integer - (select count(*) from pg_replication_slots where slot_name = any($1)) as "neededSlots",
         $2::integer + $3::integer as "neededSenders",
         current_setting('max_wal_senders')::integer as "maxSenders",
         (select count(*) from pg_stat_replication) as "usedSenders"`;

/** On Amazon RDS membership in a role gives the right. */
const REPLICATION = `
  select current_user::text as "replicationUser",
         rolsuper or rolreplication
           or exists (select from pg_roles where rolname = 'rds_replication' and pg_has_role(current_user, oid, 'member'))
           as "mayReplicate"
    from pg_roles where rolname = current_user`;

type ReplicationFacts = Pick<RecordFacts, 'replicationUser' | 'mayReplicate'>;

export async function gatherFacts(record: PgRecord, durableSlots: readonly string[] = []): Promise<RecordFacts> {
  const parameters = [durableSlots, durableSlots.length, TEMPORARY_SLOTS];
  const [server] = await record.query<Omit<RecordFacts, keyof ReplicationFacts>>(SERVER, parameters);
  return { ...server!, ...(await replicationFacts(record)) };
}

async function replicationFacts(record: PgRecord): Promise<ReplicationFacts> {
  const ask = async (reader: RecordReader) => (await reader.query<ReplicationFacts>(REPLICATION))[0]!;
  if (record.replicationUrl === record.url) return ask(record);
  const direct = await openRecord({ url: record.replicationUrl, log: silent, poolSize: 1 });
  return ask(direct).finally(() => direct.close());
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
