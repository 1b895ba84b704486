/** A name as SQL and the replication commands take it. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `schema.name` as SQL takes it; the schema is what comes before the first dot. */
export function qualified(table: string): string {
  const split = table.indexOf('.');
  return `${identifier(table.slice(0, split))}.${identifier(table.slice(split + 1))}`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
