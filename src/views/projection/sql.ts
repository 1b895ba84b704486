import { arrayLiteral } from '../../record/coalesce/array-literal.ts';
import { quoteIdentifier, quoteTable } from '../../record/copy.ts';
import type { PendingRow } from './pending.ts';
import type { ProjectedTable } from './projection.ts';

/** SQL with what it is given: every column of a batch is one array of texts. */
export interface Fragment {
  /** Its parameters begin at `$first`. */
  sql(first: number): string;
  readonly values: readonly string[];
}

/** Each column of the rows, the key's first. */
function columnsOf(table: ProjectedTable, rows: readonly PendingRow[]): string[] {
  const keys = Object.keys(table.key).map((_, i) => arrayLiteral(rows.map(({ key }) => key[i])));
  const others = Object.keys(table.columns).map((_, i) => arrayLiteral(rows.map(({ values }) => values![i])));
  return [...keys, ...others];
}

/** Writes rows to the target, where they differ. `guard` is a further condition. */
export function upsert(table: ProjectedTable, rows: readonly PendingRow[], guard = 'true'): Fragment {
  const types = [...Object.values(table.key), ...Object.values(table.columns)];
  const keys = Object.keys(table.key).map(quoteIdentifier);
  const columns = Object.keys(table.columns).map(quoteIdentifier);
  const differs = `(${columns.map((name) => `t.${name}`)}) is distinct from (${columns.map((name) => `excluded.${name}`)})`;
  const change =
    columns.length === 0
      ? 'do nothing'
      : `do update set ${columns.map((name) => `${name} = excluded.${name}`).join(', ')} where ${differs}`;
  return {
    values: columnsOf(table, rows),
    sql: (first) => `
      insert into ${quoteTable(table.target)} as t (${[...keys, ...columns].join(', ')})
      select ${types.map((type, i) => `sent.c${i}::${type}`).join(', ')}
        from unnest(${types.map((_, i) => `$${first + i}::text[]`).join(', ')}) as sent (${types.map((_, i) => `c${i}`)})
       where ${guard}
      on conflict (${keys.join(', ')}) ${change}`,
  };
}

/** Deletes the rows of these keys from the target. */
export function remove(table: ProjectedTable, keys: readonly (readonly string[])[], guard = 'true'): Fragment {
  const types = Object.values(table.key);
  const same = Object.keys(table.key).map((name, i) => `t.${quoteIdentifier(name)} = gone.c${i}::${types[i]}`);
  return {
    values: types.map((_, i) => arrayLiteral(keys.map((key) => key[i]))),
    sql: (first) => `
      delete from ${quoteTable(table.target)} t
       using unnest(${types.map((_, i) => `$${first + i}::text[]`).join(', ')}) as gone (${types.map((_, i) => `c${i}`)})
       where ${guard} and ${same.join(' and ')}`,
  };
}

/** The key of the target's row `t`, as an array of texts. */
export function keyArray(table: ProjectedTable): string {
  return `array[${Object.keys(table.key)
    .map((name) => `t.${quoteIdentifier(name)}::text`)
    .join(', ')}]`;
}

/** The same of texts, brought into the form that the column's type gives them. */
export function seenKeys(table: ProjectedTable, keys: readonly (readonly string[])[]): Fragment {
  const types = Object.values(table.key);
  return {
    values: types.map((_, i) => arrayLiteral(keys.map((key) => key[i]))),
    sql: (first) => `
      select array[${types.map((type, i) => `sent.c${i}::${type}::text`).join(', ')}] as key
        from unnest(${types.map((_, i) => `$${first + i}::text[]`).join(', ')}) as sent (${types.map((_, i) => `c${i}`)})`,
  };
}

/**
 * Which of these rows the target has not, or has otherwise: their place among them (from 1), and what differs, on both sides.
 */
export function differing(table: ProjectedTable, rows: readonly PendingRow[]): Fragment {
  const types = [...Object.values(table.key), ...Object.values(table.columns)];
  const same = Object.entries(table.key).map(([name, type], i) => `t.${quoteIdentifier(name)} = sent.c${i}::${type}`);
  const columns = Object.entries(table.columns).map(([name, type], i) => {
    const [found, wanted] = [`t.${quoteIdentifier(name)}`, `sent.c${i + same.length}::${type}`];
    return { name: name.replaceAll("'", "''"), found, wanted, differs: `${found} is distinct from ${wanted}` };
  });
  const shown = (side: 'found' | 'wanted') =>
    `array_to_string(array[${columns.map((each) => `case when ${each.differs} then '${each.name} ' || coalesce(${each[side]}::text, 'null') end`).join(', ')}]::text[], ', ')`;
  return {
    values: columnsOf(table, rows),
    sql: (first) => `
      select sent.place::integer, t.ctid is not null as there, ${shown('found')} as found, ${shown('wanted')} as wanted
        from unnest(${types.map((_, i) => `$${first + i}::text[]`).join(', ')}) with ordinality as sent (${types.map((_, i) => `c${i}`)}, place)
        left join ${quoteTable(table.target)} t on ${same.join(' and ')}
       where t.ctid is null ${columns.map((each) => `or ${each.differs}`).join(' ')}
       order by sent.place`,
  };
}

/** Which of these keys the target has a row of: their place among them (from 1). */
export function existing(table: ProjectedTable, keys: readonly (readonly string[])[]): Fragment {
  const types = Object.values(table.key);
  const same = Object.keys(table.key).map((name, i) => `t.${quoteIdentifier(name)} = sent.c${i}::${types[i]}`);
  return {
    values: types.map((_, i) => arrayLiteral(keys.map((key) => key[i]))),
    sql: (first) => `
      select sent.place::integer
        from unnest(${types.map((_, i) => `$${first + i}::text[]`).join(', ')}) with ordinality as sent (${types.map((_, i) => `c${i}`)}, place)
        join ${quoteTable(table.target)} t on ${same.join(' and ')}`,
  };
}
