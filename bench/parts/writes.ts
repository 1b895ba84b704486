import type { Bench, Part } from '../bench.ts';
import { atLeast, type Findings } from '../report/findings.ts';
import { compete } from './contest.ts';

/** Submissions of signed-in users, answered when they are durable and on the boards. */
export const writes: Part = {
  name: 'writes',
  title: 'Durable and visible submissions',
  async run(bench: Bench): Promise<Findings> {
    const contests = await compete(bench, 'writes', [64, 256]);
    const targets = contests.map(({ callers, timesNaive }) =>
      atLeast(`writes at ${callers} callers, times the best naive variant (aim: 4)`, 3, timesNaive),
    );
    return { tables: contests.flatMap(({ tables }) => tables), targets };
  },
};
