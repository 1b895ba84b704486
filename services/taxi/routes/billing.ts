import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { ClientError, isDay, type ServiceContext } from '../../../src/index.ts';
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
      return overview(await rides!.target(), checkedDay(date), limit);
    },
  );
}

/** Throws 400 for what is no day: 30 February, the year 0. */
function checkedDay(date: string): string {
  if (isDay(date)) return date;
  throw new ClientError(400, `date must be a day such as 2026-11-21, found ${JSON.stringify(date)}.`);
}
