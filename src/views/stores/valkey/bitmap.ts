import type { Change } from '../../../changes/change.ts';
import type { Row, Value } from '../../../record/value.ts';
import type { BitmapShape } from '../../bitmap/bitmap.ts';
import { checkQuery } from '../../bitmap/check.ts';
import { fitsBitmap } from '../../bitmap/fitness.ts';
import type { BitmapQuery, Bits, CellChanges, Pixels } from '../../bitmap/queries.ts';
import type { BucketOperation, Operation, StoredKind, StoredRead } from '../../stored.ts';
import type { MemoryView } from '../../view.ts';
import { MemoryBitmap } from '../memory/bitmap.ts';
import type { BitmapAuditQuery, CellStates } from '../memory/bitmap-audit.ts';
import { inOneBucket, script } from './script.ts';

/** The `bitmap` kind in Valkey or Redis: strings of a byte, a bit and eight bytes a cell, and a sorted set of the cells that changed. */
export class StoredBitmap implements StoredKind<BitmapQuery> {
  readonly buckets = 1;
  readonly bytes = true;
  readonly script: string;
  readonly shape: string;
  readonly #shape: BitmapShape;

  constructor(options: { shape: BitmapShape }) {
    this.#shape = options.shape;
    this.shape = JSON.stringify(options.shape);
    const { width, height } = options.shape;
    this.script = script({ WIDTH: width, HEIGHT: height }, ['rows', 'bitmap', 'bitmap-reads']);
  }

  *load(table: string, rows: readonly Row[]): Iterable<BucketOperation> {
    if (table !== this.#shape.table) return;
    for (const row of rows) yield inOneBucket(this.#put(row[this.#shape.cell], row));
  }

  *changes(changes: readonly Change[]): Iterable<BucketOperation> {
    const { table, cell } = this.#shape;
    for (const change of changes) {
      if (change.table.name !== table) continue;
      if (change.op === 'truncate') yield inOneBucket(['truncate']);
      else if (change.op === 'delete') yield inOneBucket(['delete', String(change.before[cell])]);
      else yield inOneBucket(this.#put(change.before?.[cell] ?? change.after[cell], change.after));
    }
  }

  read(query: BitmapQuery | BitmapAuditQuery): StoredRead[] {
    if (query.ask === 'cells') return [read('cells', query.start, query.count)];
    if (query.ask === 'aside') return [read('aside')];
    checkQuery(this.#shape, query);
    switch (query.ask) {
      case 'snapshot':
        return [read('region', 0, 0, this.#shape.width, this.#shape.height)];
      case 'region':
        return [read('region', query.x, query.y, query.width, query.height)];
      case 'changes':
        return [read('changes', query.after, query.limit)];
      case 'sequence':
        return [read('sequence', query.at)];
      default:
        return [read(query.ask)];
    }
  }

  answer(query: BitmapQuery | BitmapAuditQuery, [reply]: readonly unknown[]): unknown {
    if (reply === null || reply === undefined) return undefined;
    const parts = reply as readonly unknown[];
    switch (query.ask) {
      case 'snapshot':
        return pixels(this.#shape, parts);
      case 'region':
        return pixels(query, parts);
      case 'bits':
        return this.#bits(parts);
      case 'changes':
        return changesFrom(parts);
      case 'cells':
        return cellsFrom(parts);
      case 'aside':
        return parts.map(String).sort();
      default:
        return Number(reply);
    }
  }

  audit(twin: MemoryView<BitmapQuery>): Iterable<BitmapQuery | BitmapAuditQuery> {
    if (!(twin instanceof MemoryBitmap)) throw new Error('a bitmap is audited with a bitmap in memory');
    return twin.audit();
  }

  /** The row that had this key is now `after`, possibly under another key. */
  #put(key: Value, after: Row): Operation {
    const { cell, color, sequence, time } = this.#shape;
    const ids = [String(key), String(after[cell])] as const;
    if (!fitsBitmap(this.#shape, after)) return ['set_aside', ...ids];
    const code = typeof after[color] === 'number' ? after[color] + 1 : 0;
    return ['put', ...ids, after[color] === undefined ? '' : String(code), text(after[sequence]), text(after[time])];
  }

  #bits([bits, sequence, time]: readonly unknown[]): Bits {
    const { width, height } = this.#shape;
    return { width, height, bits: bytes(bits), sequence: Number(sequence), time: Number(time) };
  }
}

function read(name: string, ...args: readonly number[]): StoredRead {
  return { bucket: 0, name, args: args.map(String) };
}

function text(value: Value): string {
  return value === undefined ? '' : String(value);
}

function pixels({ width, height }: { width: number; height: number }, [codes, sequence]: readonly unknown[]): Pixels {
  return { width, height, codes: bytes(codes), sequence: Number(sequence) };
}

function changesFrom([cells, codes, sequence, complete]: readonly unknown[]): CellChanges {
  return {
    cells: Uint32Array.from(cells as unknown[], Number),
    codes: bytes(codes),
    sequence: Number(sequence),
    complete: Number(complete) === 1,
  };
}

function cellsFrom([codes, times, sequences]: readonly unknown[]): CellStates {
  const { buffer, byteOffset, byteLength } = times as Buffer;
  const view = new DataView(buffer, byteOffset, byteLength);
  return {
    codes: bytes(codes),
    sequences: Float64Array.from(sequences as unknown[], Number),
    times: Float64Array.from({ length: byteLength / 8 }, (_, i) => Number(view.getBigInt64(i * 8))),
  };
}

/** Bytes of their own, as the state in memory gives them: a client's buffer may be a part of a larger one. */
function bytes(reply: unknown): Uint8Array {
  return new Uint8Array(reply as Buffer);
}
