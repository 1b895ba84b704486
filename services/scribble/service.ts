import { defineService } from '../../src/index.ts';
import { routes } from './routes.ts';
import { views } from './views.ts';

export default defineService({
  name: 'scribble',
  title: 'A canvas of 1000 x 1000 points that everybody draws on at once',
  migrations: new URL('./migrations/', import.meta.url),
  views,
  routes,
});
