import { createHash } from 'node:crypto';

/** A statement that each connection prepares once. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Its parameters `$1 ... $n` are arrays of these element types, and cast so where `sql` has no cast of its own. */
export function statement(sql: string, elementTypes: readonly string[]): Statement {
  const text = sql.replaceAll(/\$(\d+)(?!\d|\s*::)/g, (parameter, number) => {
    const type = elementTypes[Number(number) - 1];
    if (type === undefined)
      throw new Error(`a coalesced statement uses ${parameter} but declares ${elementTypes.length} arrays: ${sql}`);
    return `${parameter}::${type}[]`;
  });
  return { name: `lockstep_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`, text };
}
