// The same three calls without any work, as a process: prints `listening PORT`, ends at SIGTERM. Nothing that answers over HTTP on
// the same framework does more trips.
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';

const TRIP = {
  riderid: 'person1@example.com',
  tripinfo: '2026-11-21T12:00:00Z,1234567',
  ID: 1234567,
  RIDER_ID: 1,
  RIDER_NAME: 'person1',
  RIDER_EMAIL: 'person1@example.com',
  RIDER_MOBILE: '+12125550100',
  PICKUP_DATETIME: '2026-11-21T12:00:00.000Z',
  STATUS: 'Booked',
};
const app = Fastify();
for (const path of ['riderbook', 'driveraccept', 'drivercomplete']) app.get(`/taxi/${path}`, async () => TRIP);
await app.listen({ port: 0, host: '127.0.0.1' });
console.log(`listening ${(app.server.address() as AddressInfo).port}`);
process.once('SIGTERM', () => {
  app.server.closeAllConnections();
  app.server.close(() => process.exit(0));
});
