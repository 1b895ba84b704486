import type { Bench, Part } from '../bench.ts';
import { atLeast, type Findings } from '../report/findings.ts';
import { compete } from './contest.ts';

/** `GET /leaderboard/scores/{today}?limit=5`, while nothing is written. */
export const reads: Part = {
  name: 'reads',
  title: 'Reads of the three boards',
  async run(bench: Bench): Promise<Findings> {
    const [contest] = await compete({ ...bench, users: 0 }, 'reads', [64]);
    const { tables, timesNaive, timesCeiling } = contest!;
    const targets = [
      atLeast('reads, times the best naive variant', 3, timesNaive),
      atLeast('reads, times the ceiling', 0.95, timesCeiling),
    ];
    return { tables, targets };
  },
};
