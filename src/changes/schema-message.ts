import type { TableFacts } from './catalog.ts';
import type { FollowedTable } from './followed-table.ts';
import type { LogicalMessage } from './pgoutput/message.ts';

/** Prefix of the messages by which the event triggers write DDL into the log (schema-triggers.ts). */
export const SCHEMA_PREFIX = 'lockstep.schema';

/** What a trigger writes. */
interface SchemaMessage {
  /** `ALTER TABLE`, `DROP PUBLICATION`, `table_rewrite`, ... */
  readonly command: string;
  /** The table, or the root of the partition, or 0. */
  readonly oid: number;
  /** `schema.name` of the table, where it has one still. */
  readonly name: string | null;
  readonly publication: string | null;
}

/** Says what a logical message reports about the followed tables or their publication, if anything. Never throws: anybody may write one. */
export function schemaChangeIn(
  message: LogicalMessage,
  publication: string,
  tables: ReadonlyMap<number, FollowedTable>,
): string | undefined {
  if (message.prefix !== SCHEMA_PREFIX) return undefined;
  const said = parse(message.content);
  if (!said) return undefined;
  const table = tables.get(said.oid) ?? [...tables.values()].find(({ facts }) => isNamed(facts, said.name));
  if (table) return `${said.command} on ${table.facts.name}`;
  return said.publication === publication && !said.name ? `${said.command} on publication ${publication}` : undefined;
}

/** The table's own name, or one of its partitions': of what was dropped only the name is left. */
function isNamed(facts: TableFacts, name: string | null | undefined): boolean {
  return facts.name === name || facts.partitions.some((partition) => partition.name === name);
}

function parse(content: string): (Partial<SchemaMessage> & { oid: number }) | undefined {
  try {
    const said: unknown = JSON.parse(content);
    if (typeof said !== 'object' || said === null) return undefined;
    return { ...said, oid: 'oid' in said ? Number(said.oid) : 0 };
  } catch {
    return undefined;
  }
}
