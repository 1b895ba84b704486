import type { Bench, Part } from '../bench.ts';
import { atLeast, atMost, type Findings, type Table } from '../report/findings.ts';
import { median, medianRatio, number, spread } from '../report/statistics.ts';
import { startPostgres } from '../servers/postgres.ts';
import { type PngRun, renderPngs } from './canvas-png.ts';
import { type CanvasRun, runCeiling, runLockstep, runNaive } from './canvas-runs.ts';

const V2 = 'scribble.v2';

interface Rounds {
  readonly ceiling: number[];
  readonly naive: CanvasRun[];
  readonly json: CanvasRun[];
}

/** Points from one client's hand to thousands of screens, each durable before it is shown. */
export const scribble: Part = {
  name: 'scribble',
  title: 'The shared canvas',
  async run(bench: Bench): Promise<Findings> {
    const clients = bench.quick ? 300 : 1000;
    const rounds = await takeTurns(bench, clients);
    bench.say(`  ${clients} clients of ${V2}`);
    const steady = await runLockstep(bench, { clients, protocol: V2, perSecond: 1200 });
    bench.say(`  ${clients * 5} clients of ${V2}`);
    const many = await runLockstep(bench, { clients: clients * 5, protocol: V2, perSecond: 240 });
    const jsonSteady = await runLockstep(bench, { clients, perSecond: 120 });
    const pngs = await renderPngs(bench.quick ? 5 : 25);
    return findings({ clients, rounds, steady, many, jsonSteady, pngs });
  },
};

async function takeTurns(bench: Bench, clients: number): Promise<Rounds> {
  const postgres = await startPostgres(bench.directory);
  const rounds: Rounds = { ceiling: [], naive: [], json: [] };
  try {
    for (let round = 0; round < Math.min(bench.rounds, 3); round++) {
      bench.say(`  ${clients} JSON clients, round ${round + 1}`);
      rounds.ceiling.push(await runCeiling(bench, clients));
      rounds.naive.push(await runNaive(bench, postgres.url, clients));
      rounds.json.push(await runLockstep(bench, { clients }));
    }
  } finally {
    await postgres.stop();
  }
  return rounds;
}

interface Found {
  readonly clients: number;
  readonly rounds: Rounds;
  readonly steady: CanvasRun;
  readonly many: CanvasRun;
  readonly jsonSteady: CanvasRun;
  readonly pngs: readonly PngRun[];
}

function findings({ clients, rounds, steady, many, jsonSteady, pngs }: Found): Findings {
  const delivered = (runs: readonly CanvasRun[]) => runs.map((run) => run.delivered);
  const runs = [...rounds.json, ...rounds.naive, steady, many, jsonSteady];
  const worst = pngs.reduce((a, b) => (a.loopMs > b.loopMs ? a : b));
  return {
    tables: [
      fullSpeed(clients, rounds),
      {
        title: 'At a steady rate, every point durable',
        columns: ['', 'points/s', 'delivered/s', 'median', '99 %', 'server, of a core', 'KB a client'],
        rows: [
          steadyRow(`${number(clients)} JSON clients`, jsonSteady),
          steadyRow(`${number(clients)} clients of ${V2}`, steady),
          steadyRow(`${number(clients * 5)} clients of ${V2}`, many),
        ],
        note: 'Times in milliseconds from the sender to a client, the commit with fsync in between. The clients and the one who draws share the two cores with the server and its database.',
      },
      {
        title: '`image.png`',
        columns: ['', 'event loop, ms', 'until it is there, ms', 'bytes'],
        rows: pngs.map(({ name, loopMs, totalMs, bytes }) => [name, number(loopMs), number(totalMs), number(bytes)]),
      },
    ],
    targets: [
      atLeast('JSON clients, of the ceiling of ws', 0.9, medianRatio(delivered(rounds.json), rounds.ceiling)),
      atLeast(`${V2}, delivered`, 0.99 * 1200 * clients, steady.delivered, 'points/s'),
      atMost(`${V2}, 99 % of the points`, 25, steady.p99, 'ms'),
      atMost('memory of a client', 30, many.clientBytes / 1024, 'KB'),
      atMost(`PNG, event loop (${worst.name})`, 5, worst.loopMs, 'ms'),
      atMost(
        'clients that do not end with exactly the record’s canvas',
        0,
        runs.reduce((sum, run) => sum + run.differing, 0),
      ),
    ],
  };
}

function fullSpeed(clients: number, { ceiling, naive, json }: Rounds): Table {
  const row = (name: string, runs: readonly CanvasRun[]): string[] => [
    name,
    spread(runs.map((run) => run.points)),
    spread(runs.map((run) => run.delivered)),
    number(
      medianRatio(
        runs.map((run) => run.delivered),
        ceiling,
      ),
    ),
    number(median(runs.map((run) => run.p50))),
    number(median(runs.map((run) => run.p99))),
  ];
  return {
    title: `${number(clients)} JSON clients, as fast as it goes`,
    columns: ['', 'points/s', 'messages/s delivered', 'of the ceiling', 'median, ms', '99 %, ms'],
    rows: [
      ['`ws` alone, one constant message', '', spread(ceiling), '1', '', ''],
      row('naive: an INSERT and a send loop a point', naive),
      row('Lockstep, every point durable', json),
    ],
    note: 'Sixteen more clients draw; each sends its next point when it is told of one of its last four.',
  };
}

function steadyRow(name: string, run: CanvasRun): string[] {
  const { points, delivered, p50, p99, cpu, clientBytes } = run;
  return [name, number(points), number(delivered), number(p50), number(p99), number(cpu), number(clientBytes / 1024)];
}
