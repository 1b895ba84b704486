import { defineService } from '../../src/index.ts';
import { ActivityWrites } from './activity-writes.ts';
import { commands } from './commands.ts';
import { ensurePerson } from './people.ts';
import { routes } from './routes.ts';
import { topics } from './topics.ts';
import { views } from './views.ts';

export default defineService({
  name: 'cruddur',
  title: 'A social feed whose posts expire, and direct messages',
  migrations: new URL('./migrations/', import.meta.url),
  views,
  topics,
  schedules: [
    {
      name: 'sweep',
      everyMs: 60_000,
      async run(context, signal) {
        await new ActivityWrites(context).sweep(signal);
      },
    },
  ],
  async userConfirmed(tx, user) {
    await ensurePerson(tx, user);
  },
  routes,
  commands,
});
