import type { ServiceDefinition } from '../src/index.ts';
import cruddur from './cruddur/service.ts';
import heroes from './heroes/service.ts';
import leaderboard from './leaderboard/service.ts';
import scribble from './scribble/service.ts';
import taxi from './taxi/service.ts';

/** The services that `lockstep start` runs. */
export const services: readonly ServiceDefinition[] = [
  leaderboard as unknown as ServiceDefinition,
  heroes as unknown as ServiceDefinition,
  taxi as unknown as ServiceDefinition,
  scribble as unknown as ServiceDefinition,
  cruddur as unknown as ServiceDefinition,
];
