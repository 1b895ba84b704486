import type { FastifyInstance } from 'fastify';
import type { ServiceContext } from '../../src/index.ts';
import { billingRoutes } from './routes/billing.ts';
import { kioskRoutes } from './routes/kiosk.ts';
import { signedIn } from './routes/signed-in.ts';
import { tripRoutes } from './routes/trips.ts';
import { readSettings } from './settings.ts';
import { Trips } from './trips.ts';

export function routes(app: FastifyInstance, context: ServiceContext): void {
  const settings = readSettings(context.settings);
  const trips = new Trips(context);
  if (settings.kiosk) kioskRoutes(app, context, { trips, settings });
  app.register(async (signed) => {
    // Before the body is read: who has not signed in learns nothing of what would be wrong with it.
    signed.addHook('onRequest', (request) => signedIn(request, context.identity));
    tripRoutes(signed, context, trips);
  });
  billingRoutes(app, context);
}
