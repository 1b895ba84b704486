import { qualified, identifier as quote } from '../../changes/quote.ts';
import type { RecordReader } from '../../record/record.ts';
import type { BitmapShape } from './bitmap.ts';
import { checkQuery } from './check.ts';
import type { BitmapQuery, Bits, CellChanges, ChangesQuery, Pixels, RegionQuery } from './queries.ts';

interface CellRow {
  readonly cell: number;
  /** As in `Pixels`. */
  readonly code: number;
  readonly sequence: number;
}

/** Every query answered with SQL, by the same rules as in memory. All in one snapshot: `reader` is inside one. */
export async function answerFromRecord(
  shape: BitmapShape,
  reader: RecordReader,
  queries: readonly BitmapQuery[],
): Promise<unknown[]> {
  const sql = new BitmapSql({ shape, reader });
  const answers: unknown[] = [];
  for (const query of queries) answers.push(await sql.answer(query));
  return answers;
}

class BitmapSql {
  readonly #shape: BitmapShape;
  readonly #reader: RecordReader;
  readonly #from: string;
  readonly #fields: string;
  /** Only rows that are cells of this bitmap: a table without checks may hold others. */
  readonly #where: string;

  constructor(options: { shape: BitmapShape; reader: RecordReader }) {
    this.#shape = options.shape;
    this.#reader = options.reader;
    const { table, cell, color, sequence, width, height, colors } = this.#shape;
    const code = `case when ${quote(color)} between 0 and ${colors - 1} then ${quote(color)} + 1 else 0 end`;
    this.#fields = `${quote(cell)} as cell, ${code} as code, ${quote(sequence)} as sequence`;
    this.#from = qualified(table);
    this.#where = `${quote(cell)} between 0 and ${width * height - 1}`;
  }

  async answer(query: BitmapQuery): Promise<unknown> {
    checkQuery(this.#shape, query);
    switch (query.ask) {
      case 'drawn':
        return this.#number(`count(*) filter (where ${quote(this.#shape.color)} is not null)`);
      case 'sequence':
        return this.#number(
          `coalesce(max(${quote(this.#shape.sequence)}) filter (where (extract(epoch from ${quote(this.#shape.time)}) * 1000000)::bigint <= $1), 0)`,
          [query.at],
        );
      case 'changes':
        return this.#changes(query);
      case 'bits':
        return this.#bits();
      case 'snapshot':
        return this.#pixels({ x: 0, y: 0, ...this.#shape });
      case 'region':
        return this.#pixels(query);
    }
  }

  async #number(expression: string, parameters: readonly unknown[] = []): Promise<number> {
    const [row] = await this.#reader.query<{ value: number }>(
      `select ${expression} as value from ${this.#from} where ${this.#where}`,
      parameters,
    );
    return row!.value;
  }

  #newest(): Promise<number> {
    return this.#number(`coalesce(max(${quote(this.#shape.sequence)}), 0)`);
  }

  async #changes({ after, limit }: ChangesQuery): Promise<CellChanges> {
    const { sequence, cell } = this.#shape;
    const found = await this.#reader.query<CellRow>(
      `select ${this.#fields} from ${this.#from} where ${this.#where} and ${quote(sequence)} > $1
        order by ${quote(sequence)}, ${quote(cell)} limit $2`,
      [after, limit + 1],
    );
    const part = found.slice(0, limit);
    return {
      cells: Uint32Array.from(part, (row) => row.cell),
      codes: Uint8Array.from(part, (row) => row.code),
      sequence: part.at(-1)?.sequence ?? after,
      complete: part.length === found.length,
    };
  }

  async #pixels({ x, y, width, height }: Omit<RegionQuery, 'ask'>): Promise<Pixels> {
    const { cell, width: across } = this.#shape;
    const codes = new Uint8Array(width * height);
    const rows = await this.#reader.query<CellRow>(
      `select ${this.#fields} from ${this.#from} where ${this.#where} and ${quote(this.#shape.color)} is not null
        and ${quote(cell)} % ${across} between $1 and $2 and ${quote(cell)} / ${across} between $3 and $4`,
      [x, x + width - 1, y, y + height - 1],
    );
    for (const row of rows) codes[(Math.floor(row.cell / across) - y) * width + (row.cell % across) - x] = row.code;
    return { width, height, codes, sequence: await this.#newest() };
  }

  async #bits(): Promise<Bits> {
    const { width, height, time, sequence } = this.#shape;
    const { codes, sequence: newest } = await this.#pixels({ x: 0, y: 0, width, height });
    const stride = Math.ceil(width / 8);
    const bits = new Uint8Array(stride * height);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) if (codes[y * width + x]) bits[y * stride + (x >> 3)]! |= 128 >> (x & 7);
    const [last] = await this.#reader.query<{ time: number }>(
      `select ${quote(time)} as time from ${this.#from} where ${this.#where}
        order by ${quote(sequence)} desc, ${quote(this.#shape.cell)} desc limit 1`,
    );
    return { width, height, bits, sequence: newest, time: last?.time ?? 0 };
  }
}
