import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { sendWritten } from '../../src/index.ts';
import { sentBy } from './activity-routes.ts';
import { pathHandle, readProfile, readTerm } from './input.ts';
import { updateProfile } from './people.ts';
import type { Parts } from './routes.ts';
import * as schemas from './schemas.ts';

export function userRoutes(fastify: FastifyInstance, { context, reads, caller }: Parts): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  for (const [at, shown] of schemas.AT)
    app.get(
      `/users/${at}:handle/short`,
      { schema: { ...shown, tags: schemas.TAGS, summary: 'Who somebody is', params: schemas.HandlePath } },
      async ({ params }) => reads.short(pathHandle(params.handle, 'user_not_found')),
    );
  app.get(
    '/users/search',
    { schema: { tags: schemas.TAGS, summary: 'People by handle or name', querystring: schemas.Search } },
    async ({ query }) => reads.searchUsers(readTerm(query.term)),
  );
  app.get(
    '/profile',
    { schema: { tags: schemas.TAGS, summary: 'Who I am, and the topic of my own news', security: schemas.SIGNED_IN } },
    async (request) =>
      caller.as(request, async ({ sub }) => ({ ...(await reads.me(sub)), topic: `cruddur/inbox/${sub}` })),
  );
  app.post(
    '/profile/update',
    {
      attachValidation: true,
      schema: {
        tags: schemas.TAGS,
        summary: 'Change my name and what I say about myself',
        description: 'The new name shows everywhere at once, also in old conversations.',
        security: schemas.SIGNED_IN,
        body: schemas.ProfileUpdate,
      },
    },
    async (request, reply) => {
      const written = await caller.as(request, ({ sub }) =>
        updateProfile(context.record, sub, readProfile(sentBy(request))),
      );
      return sendWritten(reply, written, context.live);
    },
  );
}
