import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { ClientError, type ServiceContext } from '../../../src/index.ts';
import { bill, overview } from '../billing.ts';
import * as schemas from '../schemas.ts';
import { admin } from './signed-in.ts';

export function billingRoutes(fastify: FastifyInstance, { identity, projections }: ServiceContext): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  const { rides } = projections;
  app.post(
    '/billing',
    {
      schema: {
        tags: ['taxi'],
        summary: 'Bill and pay what is completed (admins)',
        security: [{ token: [] }],
        headers: schemas.WriteHeaders,
      },
    },
    async (request) => {
      await admin(request, identity);
      return bill(await rides!.target());
    },
  );
  app.get(
    '/billing',
    { schema: { tags: ['taxi'], summary: 'The billing of a day', querystring: schemas.BillingQuery } },
    async ({ query }) => {
      const { date = new Date().toISOString().slice(0, 10), limit = 20 } = query;
      if (Number.isNaN(Date.parse(`${date}T00:00:00Z`))) throw new ClientError(400, `date ${date} is no day.`);
      return overview(await rides!.target(), date, limit);
    },
  );
}
