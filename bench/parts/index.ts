import type { Part } from '../bench.ts';
import { cruddur } from './cruddur.ts';
import { feed } from './feed.ts';
import { heroes } from './heroes.ts';
import { importing } from './import.ts';
import { mixed } from './mixed.ts';
import { nodes } from './nodes.ts';
import { profile } from './profile.ts';
import { ranks } from './ranks.ts';
import { reads } from './reads.ts';
import { rebuild } from './rebuild.ts';
import { scribble } from './scribble.ts';
import { start } from './start.ts';
import { store } from './store.ts';
import { taxi } from './taxi.ts';
import { visible } from './visible.ts';
import { writes } from './writes.ts';

/** In the order of a run. */
export const parts: readonly Part[] = [
  writes,
  reads,
  mixed,
  visible,
  ranks,
  store,
  nodes,
  feed,
  importing,
  rebuild,
  start,
  heroes,
  taxi,
  scribble,
  cruddur,
  profile,
];
