import type { FastifyInstance } from 'fastify';
import type { ServiceContext } from '../../src/index.ts';
import { activityRoutes } from './activity-routes.ts';
import { Caller } from './caller.ts';
import { codesOf } from './invalid.ts';
import { messageRoutes } from './message-routes.ts';
import { People } from './people.ts';
import { Reads } from './reads.ts';
import { userRoutes } from './user-routes.ts';
import type { views } from './views.ts';

export type Context = ServiceContext<typeof views>;

/** What the routes share. */
export interface Parts {
  readonly context: Context;
  readonly reads: Reads;
  readonly caller: Caller;
}

/** Everything lies under `/cruddur/api`; what is sent wrongly is answered with 422 and the codes as a JSON array. */
export function routes(app: FastifyInstance, context: Context): void {
  app.register(
    async (api) => {
      api.setErrorHandler((error, _request, reply) => {
        const codes = codesOf(error);
        if (codes.length === 0) throw error;
        return reply.code(422).send(codes);
      });
      const people = new People(context);
      const parts: Parts = {
        context,
        reads: new Reads(context),
        caller: new Caller({ identity: context.identity, people }),
      };
      activityRoutes(api, parts);
      userRoutes(api, parts);
      messageRoutes(api, parts);
    },
    { prefix: '/api' },
  );
}
