import { defineService } from '../../src/index.ts';
import { commands } from './commands.ts';
import { routes } from './routes.ts';
import { views, viewsFor } from './views.ts';

export default defineService({
  name: 'heroes',
  title: 'A cached table that is never stale',
  migrations: new URL('./migrations/', import.meta.url),
  views,
  viewsFor,
  routes,
  commands,
});
