import type { ServiceContext } from '../../src/index.ts';
import type { views } from './views.ts';

export type Context = ServiceContext<typeof views>;
