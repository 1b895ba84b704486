import { createClient } from 'redis';
import type { Change } from '../../src/changes/change.ts';
import { ROWS_TABLE, storedRows } from '../../src/testing/stored-rows.ts';
import { startValkey } from '../../src/testing/valkey.ts';
import type { StoredGeneration } from '../../src/views/stores/valkey/generation.ts';
import { openStore } from '../../src/views/stores/valkey/store.ts';
import type { StoredView } from '../../src/views/stores/valkey/view.ts';
import type { Bench, Part } from '../bench.ts';
import { atLeast, type Findings } from '../report/findings.ts';
import { medianRatio, spread } from '../report/statistics.ts';

/** Rows that are written and read. */
const ROWS = 24_000;
/** Rows of one batch, or asked for in one turn. Each is two operations, on two hashes. */
const SIZES = [64, 1000];
const OPERATIONS = 2;
const EPOCH = 'bench';

type Raw = { sendCommand(command: readonly string[]): Promise<unknown> };

/** What a round did: operations a second. */
interface Round {
  readonly lockstep: number;
  readonly raw: number;
}

/** The store's steps and reads next to the same commands, sent without any of it through the same client. */
export const store: Part = {
  name: 'store',
  title: 'The store next to raw commands',
  async run(bench: Bench): Promise<Findings> {
    const server = await startValkey();
    const raw = createClient({ url: server.url });
    const log = { error: (detail: object) => bench.say(JSON.stringify(detail)) };
    const opened = await openStore({ url: server.url, database: 'bench', log: log as never });
    try {
      await raw.connect();
      const sides = new Sides(opened.add('bench/rows', storedRows({ buckets: 1 }) as never), raw);
      await opened.fence(1);
      await sides.begin();
      const results = [];
      for (const size of SIZES) {
        results.push({ what: `writes, ${size} rows a batch`, rounds: await rounds(bench, sides.writes(size)) });
        results.push({ what: `reads, ${size} at once`, rounds: await rounds(bench, sides.reads(size)) });
      }
      return findings(results);
    } finally {
      raw.destroy();
      await opened.close();
      await server.stop();
    }
  },
};

function findings(results: readonly { readonly what: string; readonly rounds: readonly Round[] }[]): Findings {
  const ratio = (rounds: readonly Round[]) =>
    medianRatio(
      rounds.map(({ lockstep }) => lockstep),
      rounds.map(({ raw }) => raw),
    );
  return {
    tables: [
      {
        title: 'Operations a second',
        columns: ['', 'Lockstep', 'raw, pipelined', 'ratio'],
        rows: results.map(({ what, rounds }) => [
          what,
          spread(rounds.map(({ lockstep }) => lockstep)),
          spread(rounds.map(({ raw }) => raw)),
          ratio(rounds).toFixed(2),
        ]),
        note:
          'HSET and HGET through the client redis over TCP, one batch after the other. A row is two of them. Lockstep: changes of a row each, fenced and ' +
          'stamped with their position, and reads that tell theirs, as the views do it; raw: the bare commands, pipelined.',
      },
    ],
    targets: results.map(({ what, rounds }) => atLeast(`${what}, times raw commands`, 0.8, ratio(rounds))),
  };
}

/** Both sides in turn, after one round that does not count. */
async function rounds(bench: Bench, sides: Record<keyof Round, () => Promise<number>>): Promise<Round[]> {
  const found: Round[] = [];
  for (let round = 0; round <= bench.rounds; round++) {
    const both = { lockstep: await sides.lockstep(), raw: await sides.raw() };
    if (round > 0) found.push(both);
  }
  return found;
}

class Sides {
  readonly #view: StoredView;
  readonly #raw: Raw;
  #generation!: StoredGeneration;
  #lsn = 10;
  #value = 0;

  constructor(view: StoredView, raw: Raw) {
    this.#view = view;
    this.#raw = raw;
  }

  async begin(): Promise<void> {
    this.#generation = await this.#view.create(1, EPOCH);
    await this.#generation.loaded(this.#lsn, 0);
    await this.#generation.serve();
  }

  writes(size: number): Record<keyof Round, () => Promise<number>> {
    return {
      lockstep: () =>
        timed(size, async (ids) => {
          for (const id of ids) {
            this.#lsn += 10;
            const change: Change = { op: 'insert', table: ROWS_TABLE, before: null, after: this.#row(id) };
            this.#generation.transaction({ xid: 1, lsn: this.#lsn, committedAt: 0, changes: [change] });
          }
          await this.#generation.flush(this.#lsn);
        }),
      raw: () =>
        timed(size, async (ids) => {
          await Promise.all(
            ids.flatMap((id) => {
              const { a, b } = this.#row(id);
              return [
                this.#raw.sendCommand(['HSET', 'raw:a', String(id), `=${a}`]),
                this.#raw.sendCommand(['HSET', 'raw:b', String(id), `=${b}`]),
              ];
            }),
          );
        }),
    };
  }

  reads(size: number): Record<keyof Round, () => Promise<number>> {
    return {
      lockstep: () =>
        timed(size, async (ids) => {
          const at = { epoch: EPOCH, lsn: this.#lsn };
          await Promise.all(ids.map((id) => this.#view.read([{ id } as object], at)));
        }),
      raw: () =>
        timed(size, async (ids) => {
          await Promise.all(
            ids.flatMap((id) => [
              this.#raw.sendCommand(['HGET', 'raw:a', String(id)]),
              this.#raw.sendCommand(['HGET', 'raw:b', String(id)]),
            ]),
          );
        }),
    };
  }

  #row(id: number) {
    return { id, a: this.#value++, b: 'as much text as a short name has' };
  }
}

/** Operations a second over all rows, so many of them at a time. */
async function timed(size: number, work: (ids: readonly number[]) => Promise<void>): Promise<number> {
  const began = performance.now();
  for (let from = 0; from < ROWS; from += size) await work(Array.from({ length: size }, (_, i) => from + i));
  return (ROWS * OPERATIONS) / ((performance.now() - began) / 1000);
}
