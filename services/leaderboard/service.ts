import { defineService } from '../../src/index.ts';
import { commands } from './commands.ts';
import { routes } from './routes.ts';
import { topics } from './topics.ts';
import { views } from './views.ts';

export default defineService({
  name: 'leaderboard',
  title: 'Boards of the best games: all time, the month, the day',
  migrations: new URL('./migrations/', import.meta.url),
  views,
  topics,
  routes,
  commands,
});
