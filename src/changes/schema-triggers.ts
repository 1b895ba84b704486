import type { PgRecord } from '../record/record.ts';
import { SCHEMA_PREFIX } from './schema-message.ts';

/**
 * Event triggers that write each DDL into the log as a transactional message, so that the stream itself tells of it, in commit
 * order. They never fail a user's DDL: what goes wrong in them is dropped, and the fingerprint still finds the change.
 */
const INSTALL = `
create schema if not exists lockstep;

create or replace function lockstep.tell_schema_change() returns event_trigger language plpgsql
security definer set search_path = pg_catalog, pg_temp as $$
declare
  what record;
begin
  if tg_event = 'table_rewrite' then
    perform lockstep.write_schema_change('table_rewrite', pg_event_trigger_table_rewrite_oid(), null, null);
  elsif tg_event = 'ddl_command_end' then
    for what in select distinct on (classid, objid) classid, objid, command_tag, object_type, object_identity
                from pg_event_trigger_ddl_commands() loop
      if what.classid = 'pg_class'::regclass and what.object_type in ('table', 'table column') then
        perform lockstep.write_schema_change(what.command_tag, what.objid, null, null);
      elsif what.object_type = 'publication' then
        perform lockstep.write_schema_change(what.command_tag, 0, null,
          (select pubname from pg_publication where oid = what.objid));
      elsif what.object_type = 'publication relation' then
        perform lockstep.write_schema_change(what.command_tag, prrelid, null,
          (select pubname from pg_publication where oid = prpubid)) from pg_publication_rel where oid = what.objid;
      elsif what.object_type = 'type' then
        perform lockstep.write_schema_change(what.command_tag, attrelid, null, null)
        from pg_attribute where atttypid = what.objid and not attisdropped;
      end if;
    end loop;
  else
    for what in select object_type, schema_name, object_name, address_names, address_args
                from pg_event_trigger_dropped_objects() loop
      if what.object_type = 'table' then
        perform lockstep.write_schema_change(tg_tag, 0, what.schema_name || '.' || what.object_name, null);
      elsif what.object_type = 'publication' then
        perform lockstep.write_schema_change(tg_tag, 0, null, what.object_name);
      elsif what.object_type = 'publication relation' then
        perform lockstep.write_schema_change(tg_tag, 0, array_to_string(what.address_names, '.'), what.address_args[1]);
      end if;
    end loop;
  end if;
exception when others then
  null;
end $$;

create or replace function lockstep.write_schema_change(command text, relation oid, name text, publication text) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  select pg_logical_emit_message(true, '${SCHEMA_PREFIX}', json_build_object(
    'command', command, 'oid', coalesce(pg_partition_root(relation)::oid, relation)::bigint, 'name', name,
    'publication', publication)::text);
$$;
`;

const TRIGGERS = {
  lockstep_ddl: 'ddl_command_end',
  lockstep_drop: 'sql_drop',
  lockstep_rewrite: 'table_rewrite',
} as const;

/** Installs the triggers, once. False where the database user may not (only a superuser may, below PostgreSQL's cloud variants). */
export async function installSchemaTriggers(record: PgRecord): Promise<boolean> {
  const [user] = await record.query<{ may: boolean }>(
    'select rolsuper as may from pg_catalog.pg_roles where rolname = current_user',
  );
  if (!user?.may) return false;
  await record.transaction(async (tx) => {
    await tx.query(`select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('lockstep schema triggers'))`);
    for (const statement of INSTALL.split(/;\n\n/)) await tx.query(statement);
    const there = await tx.query<{ name: string }>('select evtname as name from pg_catalog.pg_event_trigger');
    for (const [name, event] of Object.entries(TRIGGERS)) {
      if (there.some((trigger) => trigger.name === name)) continue;
      await tx.query(`create event trigger ${name} on ${event} execute function lockstep.tell_schema_change()`);
    }
  });
  return true;
}
