import type { Bench } from '../bench.ts';
import { allVariants, nameOf, type Variant } from '../naive/variant.ts';
import type { Table } from '../report/findings.ts';
import { number } from '../report/statistics.ts';
import type { Arena } from '../servers/arena.ts';
import { type Kind, measure } from './load.ts';

export interface Screening {
  /** The best way for each framework and client library. */
  readonly finalists: readonly Variant[];
  readonly table: Table;
}

const CALLERS = 64;
const BRIEF = { seconds: 1.2, warmupSeconds: 0.8 };

/** Tries every way to build the naive server, briefly, to find the best of each framework and client library. */
export async function screen(bench: Bench, arena: Arena, kind: Kind): Promise<Screening> {
  const rates = new Map<Variant, number>();
  for (const variant of candidates(kind, bench.quick)) {
    const server = await arena.naive(variant);
    const sample = await measure({ ...bench, ...BRIEF }, server, kind, CALLERS);
    await server.stop();
    rates.set(variant, sample.requestsPerSecond);
    bench.say(`  ${nameOf(variant)}: ${number(sample.requestsPerSecond)} ${kind}/s`);
  }
  const ranked = [...rates].sort(([, a], [, b]) => b - a);
  const best = Map.groupBy(ranked, ([{ framework, client }]) => `${framework} ${client}`);
  return {
    finalists: [...best.values()].map(([first]) => first![0]),
    table: {
      title: `Every naive variant, ${kind}/s at ${CALLERS} callers`,
      columns: ['variant', `${kind}/s`],
      rows: ranked.map(([variant, rate]) => [nameOf(variant), number(rate)]),
      note: `One short measurement each (${BRIEF.seconds} s), to choose who takes part in the rounds.`,
    },
  };
}

/** Reads need no token. A quick run takes what was best for both clients when it was last looked at. */
function candidates(kind: Kind, quick: boolean): Variant[] {
  const tokens = allVariants().filter((variant) => kind === 'writes' || variant.tokens === 'cached');
  return quick ? tokens.filter(({ commands, tokens }) => commands === 'pipeline' && tokens === 'cached') : tokens;
}
