import type pg from 'pg';
import type { Ask } from './catalog.ts';
import { type Blocker, SlotBusy, SlotCreationBlocked } from './errors.ts';
import { RebuildNeeded } from './feed.ts';
import { formatLsn, parseLsn } from './position.ts';
import { identifier } from './quote.ts';
import { inTime } from './wire/answer.ts';

export interface SlotOptions {
  readonly name: string;
  /** Gone with its connection (CORRECTNESS 14): for views in process memory. Its name must be this process's own. */
  readonly temporary: boolean;
}

export interface NewSlot {
  /** Everything that ends after it is streamed; the snapshot holds the rest. */
  readonly consistentPoint: number;
  /** The exported snapshot's name, good until the connection's next command. */
  readonly snapshot: string;
}

/** A slot as `pg_replication_slots` has it. */
export interface SlotState {
  readonly plugin: string;
  readonly database: string | null;
  readonly activePid: number | null;
  /** LSN up to which a follower has confirmed; what is before is not sent again. */
  readonly confirmed: number;
  readonly retainedBytes: number;
  /** Why it is of no use any more, if it is not. */
  readonly lost: string | null;
}

/** Columns differ between PostgreSQL 14 and 18, so the row is read as JSON. */
const SLOT = `select to_jsonb(s)::text as slot,
  coalesce(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn), 0)::float8 as retained
  from pg_catalog.pg_replication_slots s where s.slot_name = $1`;

export async function readSlot(ask: Ask, name: string): Promise<SlotState | undefined> {
  const [row] = await ask(SLOT, [name]);
  if (!row) return undefined;
  const slot = JSON.parse(String(row.slot)) as Record<string, string | number | null>;
  return {
    plugin: String(slot.plugin),
    database: slot.database as string | null,
    activePid: slot.active_pid as number | null,
    confirmed: slot.confirmed_flush_lsn ? parseLsn(String(slot.confirmed_flush_lsn)) : 0,
    retainedBytes: Number(row.retained),
    lost: lostBy(slot),
  };
}

function lostBy(slot: Record<string, string | number | null>): string | null {
  if (slot.invalidation_reason) return `PostgreSQL invalidated it (${slot.invalidation_reason})`;
  if (slot.wal_status === 'lost') return 'PostgreSQL removed WAL it needs (max_slot_wal_keep_size)';
  return slot.restart_lsn ? null : 'it keeps no WAL';
}

/** Makes a slot with its exported snapshot; bounded, since it waits for every open transaction (CORRECTNESS 12). */
export async function createSlot(options: {
  slot: SlotOptions;
  replication: pg.Client;
  ask: Ask;
  serverVersion: number;
  timeoutMs: number;
  /** How long the server may take to give up. */
  answerMs: number;
}): Promise<NewSlot> {
  const { slot, replication, ask, timeoutMs, answerMs } = options;
  const creating = replication.query(createCommand(slot, options.serverVersion));
  const guard = guardCreation({ ask, timeoutMs });
  try {
    const { rows } = await inTime(replication, creating, timeoutMs + answerMs);
    return { consistentPoint: parseLsn(rows[0].consistent_point), snapshot: rows[0].snapshot_name };
  } catch (error) {
    const blockers = await guard.blockers();
    if (blockers) throw new SlotCreationBlocked(slot.name, timeoutMs, blockers);
    throw await explain(error as Error & { code?: string; hint?: string }, slot.name, ask);
  } finally {
    guard.stop();
  }

  function guardCreation({ ask, timeoutMs }: { ask: Ask; timeoutMs: number }) {
    let found: Promise<readonly Blocker[]> | undefined;
    const timer = setTimeout(() => {
      found = giveUp(ask, (replication as unknown as { processID: number }).processID);
      found.catch(() => {}); // the creation's own error says enough
    }, timeoutMs);
    return { blockers: () => found?.catch(() => []), stop: () => clearTimeout(timer) };
  }
}

function createCommand({ name, temporary }: SlotOptions, serverVersion: number): string {
  const kind = temporary ? 'TEMPORARY ' : '';
  if (serverVersion < 150_000) {
    return `CREATE_REPLICATION_SLOT ${identifier(name)} ${kind}LOGICAL pgoutput EXPORT_SNAPSHOT`;
  }
  const failover = !temporary && serverVersion >= 170_000 ? ', FAILOVER true' : '';
  return `CREATE_REPLICATION_SLOT ${identifier(name)} ${kind}LOGICAL pgoutput (SNAPSHOT 'export'${failover})`;
}

/** Finds whom the creation waits for, and ends it. */
async function giveUp(ask: Ask, pid: number): Promise<readonly Blocker[]> {
  const rows = await ask(
    `select b.pid, coalesce(
       'query since ' || date_trunc('second', a.query_start) || ', transaction since ' || date_trunc('second', a.xact_start)
         || ', ' || a.state || ': ' || left(a.query, 100),
       (select 'prepared transactions ' || string_agg(quote_literal(gid), ', ') from pg_catalog.pg_prepared_xacts),
       'unknown') as detail
     from unnest(pg_catalog.pg_blocking_pids($1)) b(pid) left join pg_catalog.pg_stat_activity a using (pid)`,
    [pid],
  );
  await ask('select pg_catalog.pg_terminate_backend($1)', [pid]);
  return rows.map((row) => ({ pid: Number(row.pid), detail: String(row.detail) }));
}

/** A server's error as one that says what to do. */
export async function explain(error: Error & { code?: string; hint?: string }, slot: string, ask: Ask): Promise<Error> {
  if (error.code === '55006' || error.code === '42710') {
    const state = await readSlot(ask, slot).catch(() => undefined);
    return new SlotBusy(slot, state?.activePid ?? undefined);
  }
  if (error.code === '42704' || error.code === '55000') {
    return new RebuildNeeded('slot lost', `replication slot "${slot}": ${error.message}`);
  }
  if (!error.hint) return error;
  return new Error(`replication slot "${slot}": ${error.message}. ${error.hint}`, { cause: error });
}

/** Whether a slot that is there can be followed on; throws why not. */
export function checkSlot(name: string, state: SlotState, database: string): void {
  if (state.plugin !== 'pgoutput' || state.database !== database) {
    throw new Error(
      `replication slot "${name}" is for plugin ${state.plugin} in database ${state.database ?? 'none'}; Lockstep needs ` +
        `pgoutput in ${database}: name another slot, or drop this one with SELECT pg_drop_replication_slot('${name}')`,
    );
  }
  if (state.lost) throw new RebuildNeeded('slot lost', `replication slot "${name}": ${state.lost}`);
  if (state.activePid) throw new SlotBusy(name, state.activePid);
}

export async function dropSlot(ask: Ask, name: string): Promise<void> {
  await ask(
    `select pg_catalog.pg_drop_replication_slot(slot_name) from pg_catalog.pg_replication_slots
     where slot_name = $1 and not active`,
    [name],
  );
}

/** The slot keeps more WAL than it may. */
export function overLimit(name: string, retainedBytes: number, limitBytes: number): RebuildNeeded {
  return new RebuildNeeded(
    'wal limit',
    `replication slot "${name}" keeps ${retainedBytes} bytes of WAL, more than the ${limitBytes} of LOCKSTEP_WAL_LIMIT`,
  );
}

/** The caller's state ends before what the slot still has. */
export function behindSlot(from: number, start: number): RebuildNeeded {
  return new RebuildNeeded('gap', `applied up to ${formatLsn(from)}, but the slot goes on from ${formatLsn(start)}`);
}
