import type { Row } from '../../record/value.ts';
import type { Change } from '../change.ts';
import type { Message, Relation, RelationColumn } from './message.ts';
import type { MutableRow, RowPlan } from './row-plan.ts';

/** Microseconds between 1970-01-01 and PostgreSQL's own epoch, 2000-01-01. */
const POSTGRES_EPOCH = 946_684_800_000_000;

const NULL = 110; // n
const UNCHANGED = 117; // u
const TEXT = 116; // t
const OLD_KEY = 75; // K
const OLD_ROW = 79; // O

/** How the rows of a relation are read, or undefined where nobody follows it. Called for every Relation message. */
export type PlanRelation = (relation: Relation) => RowPlan | undefined;

/**
 * Turns pgoutput's bytes (protocol version 1, text values) into messages. Reads where the bytes lie, copies only values,
 * and leaves out what nobody follows. Source: PostgreSQL's manual, "Logical Replication Message Formats".
 */
export class PgoutputDecoder {
  readonly #planRelation: PlanRelation;
  readonly #plans = new Map<number, RowPlan>();
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(options: { planRelation: PlanRelation }) {
    this.#planRelation = options.planRelation;
  }

  /** The message at `start`, or undefined for one that is of no concern (Type, Origin, tables nobody follows). */
  decode(bytes: Buffer, start: number): Message | undefined {
    this.#bytes = bytes;
    this.#at = start + 1;
    switch (bytes[start]) {
      case 73: // I
        return this.#insert();
      case 85: // U
        return this.#update();
      case 68: // D
        return this.#delete();
      case 66: // B
        return this.#begin();
      case 67: // C
        return this.#commit();
      case 82: // R
        return this.#relation();
      case 84: // T
        return this.#truncates();
      case 77: // M
        return this.#message();
      case 79: // O(rigin)
      case 89: // (t)Y(pe)
        return undefined;
      default:
        throw new Error(`pgoutput sent a message of unknown type ${bytes[start]}`);
    }
  }

  #insert(): Message | undefined {
    const plan = this.#plans.get(this.#uint32());
    if (!plan) return undefined;
    this.#at++; // N
    return { op: 'insert', table: plan.table, before: null, after: this.#row(plan, null) };
  }

  #update(): Message | undefined {
    const plan = this.#plans.get(this.#uint32());
    if (!plan) return undefined;
    const before = this.#old(plan);
    if (before) this.#at++; // N
    return { op: 'update', table: plan.table, before, after: this.#row(plan, before) };
  }

  #delete(): Message | undefined {
    const plan = this.#plans.get(this.#uint32());
    if (!plan) return undefined;
    const before = this.#old(plan);
    if (!before) throw new Error(`pgoutput sent a delete from ${plan.table.name} without its key`);
    return { op: 'delete', table: plan.table, before, after: null };
  }

  /** The old row or the old key where one is next; steps over the byte that says so. */
  #old(plan: RowPlan): Row | null {
    const kind = this.#bytes[this.#at++];
    if (kind === OLD_ROW) return this.#row(plan, null);
    return kind === OLD_KEY ? this.#key(plan) : null;
  }

  /** A row; a value that the log leaves out is taken `from` the old row where that has it. */
  #row(plan: RowPlan, from: Row | null): Row {
    const bytes = this.#bytes;
    const columns = plan.columns;
    const row: MutableRow = {};
    let at = this.#expectColumns(plan);
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i];
      const kind = bytes[at++];
      if (kind === TEXT) {
        const start = at + 4;
        at = start + uint32At(bytes, at);
        if (column) row[column.name] = column.decode(bytes, start, at);
      } else if (column) {
        row[column.name] = kind === UNCHANGED ? from?.[column.name] : null;
      }
    }
    this.#at = at;
    return row;
  }

  /** An old key: the columns of the replica identity; the others are sent as null, which says nothing. */
  #key(plan: RowPlan): Row {
    const bytes = this.#bytes;
    const row: MutableRow = {};
    let at = this.#expectColumns(plan);
    for (const column of plan.columns) {
      const kind = bytes[at++];
      if (kind === TEXT) {
        const start = at + 4;
        at = start + uint32At(bytes, at);
        if (column?.identity) row[column.name] = column.decode(bytes, start, at);
      } else if (column?.identity && kind === NULL) {
        row[column.name] = null;
      }
    }
    this.#at = at;
    return row;
  }

  /** Steps over the number of columns; returns where the first one is. */
  #expectColumns(plan: RowPlan): number {
    const count = this.#uint16();
    if (count === plan.columns.length) return this.#at;
    throw new Error(`pgoutput sent ${count} columns of ${plan.table.name}, which has ${plan.columns.length}`);
  }

  #begin(): Message {
    const commitLsn = this.#uint64();
    this.#at += 8; // commit time, which Commit has too
    return { op: 'begin', commitLsn, xid: this.#uint32() };
  }

  #commit(): Message {
    this.#at++; // flags
    const commitLsn = this.#uint64();
    const endLsn = this.#uint64();
    return { op: 'commit', commitLsn, endLsn, committedAt: this.#micros() };
  }

  #relation(): Message {
    const oid = this.#uint32();
    const schema = this.#string() || 'pg_catalog';
    const name = `${schema}.${this.#string()}`;
    const identity = String.fromCharCode(this.#bytes[this.#at++]!);
    const columns: RelationColumn[] = [];
    for (let left = this.#uint16(); left > 0; left--) columns.push(this.#relationColumn());
    const relation = { oid, name, identity, columns };
    const plan = this.#planRelation(relation);
    if (plan) this.#plans.set(oid, plan);
    else this.#plans.delete(oid);
    return { op: 'relation', relation };
  }

  #relationColumn(): RelationColumn {
    const identity = (this.#bytes[this.#at++]! & 1) === 1;
    return { identity, name: this.#string(), type: this.#uint32(), typmod: this.#uint32() | 0 };
  }

  #truncates(): Message {
    const count = this.#uint32();
    this.#at++; // CASCADE, RESTART IDENTITY
    const changes: Change[] = [];
    for (let i = 0; i < count; i++) {
      const plan = this.#plans.get(this.#uint32());
      if (plan) changes.push({ op: 'truncate', table: plan.table, before: null, after: null });
    }
    return { op: 'truncates', changes };
  }

  #message(): Message {
    const transactional = this.#bytes[this.#at++] === 1;
    this.#at += 8; // LSN
    const prefix = this.#string();
    const length = this.#uint32();
    const content = this.#bytes.toString('utf8', this.#at, this.#at + length);
    return { op: 'message', transactional, prefix, content };
  }

  #string(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  #uint16(): number {
    const at = this.#at;
    this.#at += 2;
    return this.#bytes[at]! * 256 + this.#bytes[at + 1]!;
  }

  #uint32(): number {
    const at = this.#at;
    this.#at += 4;
    return uint32At(this.#bytes, at);
  }

  #uint64(): number {
    return this.#uint32() * 0x1_0000_0000 + this.#uint32();
  }

  /** Microseconds since 2000 to microseconds since 1970. */
  #micros(): number {
    const high = this.#uint32() | 0;
    return high * 0x1_0000_0000 + this.#uint32() + POSTGRES_EPOCH;
  }
}

/** Big-endian, as everything in PostgreSQL's protocol. */
export function uint32At(bytes: Buffer, at: number): number {
  return bytes[at]! * 0x100_0000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
}
