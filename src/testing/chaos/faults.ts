import { setTimeout as sleep } from 'node:timers/promises';
import { randomFrom } from '../../runtime/random.ts';
import type { ServerProcess } from '../server-process.ts';
import type { ChaosRecord } from './record.ts';
import type { ChaosStore } from './store.ts';

/** What faults are done to. */
export interface Targets {
  readonly nodes: readonly ServerProcess[];
  readonly record: ChaosRecord;
  readonly store: ChaosStore;
}

export interface Fault {
  readonly name: string;
  readonly weight: number;
  run(targets: Targets, random: () => number): Promise<string>;
}

const anyOf = <T>(all: readonly T[], random: () => number): T => all[Math.floor(random() * all.length)]!;

/** Each ends with what it took away being there again, or on its way, and says what was done to. */
export const FAULTS: readonly Fault[] = [
  {
    name: 'kill a node',
    weight: 3,
    async run({ nodes }, random) {
      const node = anyOf(nodes, random);
      await node.stop('SIGKILL');
      node.start();
      return node.url;
    },
  },
  {
    name: 'pause a node',
    weight: 3,
    async run({ nodes }, random) {
      const node = anyOf(nodes, random);
      const ms = Math.round(200 + random() * 4000);
      node.signal('SIGSTOP');
      await sleep(ms);
      node.signal('SIGCONT');
      return `${node.url} for ${ms} ms`;
    },
  },
  { name: 'flush the store', weight: 2, run: ({ store }) => store.flush() },
  { name: 'restart the store', weight: 1, run: ({ store }) => store.restart() },
  { name: "cut the store's connections", weight: 2, run: ({ store }) => store.cut() },
  { name: 'fail the store over', weight: 1, run: ({ store }, random) => store.failOver(Math.round(random() * 500)) },
  { name: 'cut connections of the record', weight: 2, run: ({ record }) => record.cut() },
  { name: 'kill PostgreSQL', weight: 1, run: ({ record }) => record.kill() },
  { name: 'fail the record over', weight: 1, run: ({ record }) => record.failOver() },
];

/** The schedule that follows from a seed: what, and how long after the one before (milliseconds). Dealt like cards: each kind comes up. */
export function* schedule(seed: number): Generator<{ fault: Fault; afterMs: number; random: () => number }> {
  const random = randomFrom(seed);
  for (;;) {
    const cards = FAULTS.flatMap((fault) => Array.from({ length: fault.weight }, () => fault));
    while (cards.length > 0) {
      const [fault] = cards.splice(Math.floor(random() * cards.length), 1);
      yield { fault: fault!, afterMs: 500 + random() * 2500, random: randomFrom(random() * 2 ** 31) };
    }
  }
}
