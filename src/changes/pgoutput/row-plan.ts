import type { Row, Value } from '../../record/value.ts';
import type { Table } from '../change.ts';
import { type ByteDecoder, byteDecoderFor } from './bytes.ts';

/** How to read one column of the log's or the snapshot's rows. */
export interface ColumnPlan {
  readonly name: string;
  readonly decode: ByteDecoder;
  /** Part of the replica identity: an old key carries it. */
  readonly identity: boolean;
}

/** How to read the rows of one table: its columns in the log's order, null for those that nobody wants. */
export interface RowPlan {
  readonly table: Table;
  readonly columns: readonly (ColumnPlan | null)[];
}

/** A row being filled. */
export type MutableRow = { -readonly [K in keyof Row]: Value };

/** `type` is a base type: the type under a domain. */
export function planColumn(name: string, type: number, identity: boolean): ColumnPlan {
  return { name, decode: byteDecoderFor(type), identity };
}
