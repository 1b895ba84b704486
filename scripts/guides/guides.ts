import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Guide, renderGuide } from './render.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface GuideSource {
  /** Its page is `/guides/<name>/`. */
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** In a menu. */
  readonly label: string;
  readonly about: string;
}

export interface GuideGroup {
  readonly title: string;
  readonly guides: readonly GuideSource[];
}

/** What is written for users, in the order in which one would read it. */
export const GROUPS: readonly GuideGroup[] = [
  {
    title: 'Build',
    guides: [
      guide('write-a-service', 'Write a service', 'One of your own, live and verified, in ten minutes'),
      guide('kit', 'The kit', 'What a service is made of: views, topics, items, requests'),
      guide('reference', 'Commands and configuration', 'The command line; every option, where it is set, its default'),
      guide('client', 'The client', 'Typed calls, the session and subscriptions, in a browser or in Node'),
    ],
  },
  {
    title: 'Understand',
    guides: [
      guide('how-it-works', 'How it works', 'The one path of the data, part by part, and why it is so'),
      guide('guarantees', 'Guarantees', 'What holds, the code that enforces it, the test that proves it', 'SPEC.md'),
      guide('correctness', 'Where the obvious way is wrong', 'Twenty rules, each learnt from a fault'),
      guide('measurements', 'Measurements', 'Every number, against what, and where the time goes', 'bench/RESULTS.md'),
      guide('benchmark', 'The benchmark', 'How it is measured, who competes, what is fair about it', 'bench/README.md'),
    ],
  },
  {
    title: 'Run',
    guides: [
      guide('operate', 'Operate it', 'Deploy, size, watch, back up, upgrade; every failure, and what to do'),
      guide('scale', 'How far it goes', 'Beyond one machine, with the limits and the numbers'),
      guide('valkey', 'Views in Valkey', 'Every key that a view has in the store'),
    ],
  },
  {
    title: 'The services',
    guides: [
      service('leaderboard', 'Leaderboard', 'Accounts, scores, boards by day, month and all time'),
      service('heroes', 'Heroes', 'A cached table that is never stale'),
      service('taxi', 'Taxi', 'Trips in SQL exactly once, billed and paid'),
      service('scribble', 'Scribble', 'A canvas that thousands draw on'),
      service('cruddur', 'Cruddur', 'Expiring posts, conversations, messages'),
    ],
  },
];

export const GUIDES: readonly GuideSource[] = GROUPS.flatMap(({ guides }) => guides);

function guide(name: string, label: string, about: string, file = `docs/${name}.md`): GuideSource {
  return { name, file, label, about };
}

function service(name: string, label: string, about: string): GuideSource {
  return guide(name, label, about, `services/${name}/README.md`);
}

export function readGuide(source: GuideSource): Guide {
  return renderGuide(readFileSync(join(ROOT, source.file), 'utf8'), (target) => resolveLink(source, target));
}

/** A document's link as one of the pages; undefined where it leads to a file that no page shows. */
function resolveLink({ file }: GuideSource, target: string): string | undefined {
  // The server that a document speaks of is the one that shows it.
  if (target.startsWith(LOCAL)) return target.slice(LOCAL.length - 1);
  if (target.startsWith('#') || /^https?:/.test(target)) return target;
  const [path, hash] = target.split('#');
  const wanted = normalize(join(dirname(file), path!));
  const found = GUIDES.find((each) => each.file === wanted);
  return found && `/guides/${found.name}/${hash ? `#${hash}` : ''}`;
}

const LOCAL = 'http://localhost:8080/';
