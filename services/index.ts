import type { ServiceDefinition } from '../src/index.ts';
import leaderboard from './leaderboard/service.ts';
import taxi from './taxi/service.ts';

/** The services that `lockstep start` runs. */
export const services: readonly ServiceDefinition[] = [leaderboard, taxi].map(
  (service) => service as unknown as ServiceDefinition,
);
