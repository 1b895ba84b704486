import { setTimeout as sleep } from 'node:timers/promises';
import { randomFrom } from '../../runtime/random.ts';
import type { ServerProcess } from '../server-process.ts';

/** What faults are done to. */
export interface Targets {
  readonly nodes: readonly ServerProcess[];
  /** Of PostgreSQL. */
  postmaster(): number;
  /** Runs SQL on a connection of its own. */
  sql(text: string): Promise<void>;
  readonly store: {
    flush(): Promise<void>;
    restart(): Promise<void>;
    cut(): Promise<void>;
  };
}

export interface Fault {
  readonly name: string;
  readonly weight: number;
  run(targets: Targets, random: () => number): Promise<string>;
}

const anyOf = <T>(all: readonly T[], random: () => number): T => all[Math.floor(random() * all.length)]!;

/** Each ends with what it took away being there again, or on its way. */
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
  { name: 'flush the store', weight: 2, run: async ({ store }) => store.flush().then(() => '') },
  { name: 'restart the store', weight: 1, run: async ({ store }) => store.restart().then(() => '') },
  { name: "cut the store's connections", weight: 2, run: async ({ store }) => store.cut().then(() => '') },
  {
    name: 'cut connections of the record',
    weight: 2,
    async run({ sql }) {
      await sql(
        'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname is not null',
      );
      return '';
    },
  },
  {
    name: 'kill PostgreSQL',
    weight: 1,
    async run({ postmaster }) {
      const pid = postmaster();
      if (pid > 0) process.kill(pid, 'SIGKILL');
      return `process ${pid}`;
    },
  },
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
