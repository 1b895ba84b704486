import { defineService } from '../../src/index.ts';
import { bill } from './billing.ts';
import { commands } from './commands.ts';
import { projections } from './projections.ts';
import { routes } from './routes.ts';
import { topics } from './topics.ts';

export default defineService({
  name: 'taxi',
  title: 'Trips, their projection into SQL, billing and payments',
  migrations: new URL('./migrations/', import.meta.url),
  views: {},
  projections,
  projectionDatabase: {
    name: 'taxiDatabaseUrl',
    env: 'TAXI_DATABASE_URL',
    about: "database of the taxi service's relational tables; unset: the record's",
  },
  followed: [{ table: 'taxi.trip_items' }],
  topics,
  roles: ['driver'],
  schedules: [
    {
      name: 'billing',
      dailyAt: '23:55',
      async run({ projections: { rides }, log }) {
        log.info(await bill(await rides!.target()), 'the day is billed');
      },
    },
  ],
  routes,
  commands,
});
