import type { Bench, Part } from '../bench.ts';
import { atLeast, atMost, type Findings } from '../report/findings.ts';
import { measureReaders, type ShapeResult } from './feed-readers.ts';

/** Both readers in this process, each through the same log, written before. */
export const feed: Part = {
  name: 'feed',
  title: 'Change feed',
  async run(bench: Bench): Promise<Findings> {
    const { shapes, snapshot, idleMicros } = await measureReaders({
      rows: bench.quick ? 50_000 : 500_000,
      rounds: Math.min(bench.rounds, 3),
    });
    const [bulk, single] = [shapes.find((s) => s.shape === 'bulk')!, shapes.find((s) => s.shape === 'single')!];
    return {
      tables: [
        {
          title: 'Reading the log: medians',
          columns: ['', 'Lockstep', 'pg-logical-replication', 'processor time, ratio'],
          rows: [row('1,000 rows a transaction', bulk), row('1 row a transaction', single)],
          note: `A slot's first snapshot: ${rate(snapshot.rowsPerSecond)} rows/s, ${snapshot.cpuMicrosPerRow.toFixed(2)} us of processor time a row. An idle server asked for its position answers in ${idleMicros.p50.toFixed(0)} us (p99 ${idleMicros.p99.toFixed(0)}).`,
        },
      ],
      targets: [
        atLeast('feed, bulk', 300_000, bulk.lockstep.rowsPerSecond, 'rows/s'),
        atLeast('feed, single rows', 85_000, single.lockstep.transactionsPerSecond, 'transactions/s'),
        atMost("processor time a row, bulk, of the library's", 0.333, cpuRatio(bulk)),
        atMost("processor time a row, single rows, of the library's", 0.333, cpuRatio(single)),
      ],
    };
  },
};

function row(name: string, result: ShapeResult): string[] {
  return [name, reader(result.lockstep), reader(result.library), cpuRatio(result).toFixed(2)];
}

function reader(result: ShapeResult['lockstep']): string {
  return `${rate(result.rowsPerSecond)} rows/s, ${result.cpuMicrosPerRow.toFixed(2)} us a row`;
}

function rate(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function cpuRatio({ lockstep, library }: ShapeResult): number {
  return lockstep.cpuMicrosPerRow / library.cpuMicrosPerRow;
}
