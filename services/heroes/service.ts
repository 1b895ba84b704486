import { defineService } from '../../src/index.ts';
import { commands } from './commands.ts';
import { routes } from './routes.ts';
import { views } from './views.ts';

export default defineService({
  name: 'heroes',
  title: 'A cached table that is never stale',
  migrations: new URL('./migrations/', import.meta.url),
  views,
  routes,
  commands,
});
