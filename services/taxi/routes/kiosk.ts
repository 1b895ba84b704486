import type { FastifyInstance, FastifyReply } from 'fastify';
import { limitRate, type ServiceContext, sendWrittenJson, type WrittenItem } from '../../../src/index.ts';
import { acceptDetails, completeDetails } from '../details.ts';
import { guessing } from '../repeats.ts';
import { checkedInfo, kioskMobile, kioskRider } from '../riders.ts';
import type { Settings } from '../settings.ts';
import type { TripKey, Trips } from '../trips.ts';

interface KioskRequest {
  Querystring: Readonly<Record<string, unknown>>;
}

/** The three calls of a public kiosk: open to everybody, and rate-limited. */
export function kioskRoutes(
  app: FastifyInstance,
  { live }: ServiceContext,
  { trips, settings }: { trips: Trips; settings: Settings },
): void {
  const onRequest = limitRate({ perSecond: settings.kioskPerSecond, spareLoopback: true });
  /** The trip as the record has given it. */
  const send = (reply: FastifyReply, trip: WrittenItem) => sendWrittenJson(reply, trip, live, trip.json);
  const options = (summary: string) => ({ onRequest, schema: { tags: ['taxi'], summary } });
  app.get<KioskRequest>('/riderbook', options('Book a trip (kiosk)'), async ({ query }, reply) => {
    const rider = { ...kioskRider(query.rider_id), mobile: kioskMobile(query.rider_mobile) };
    return send(reply, await trips.book(rider, {}));
  });
  app.get<KioskRequest>('/driveraccept', options('Assign a free driver (kiosk)'), async ({ query }, reply) => {
    const key = keyOf(query);
    return send(reply, await guessing(() => trips.accept(key, acceptDetails({}))));
  });
  app.get<KioskRequest>('/drivercomplete', options('Complete a trip (kiosk)'), async ({ query }, reply) => {
    const key = keyOf(query);
    const details = completeDetails(await trips.begun(key), {});
    return send(reply, await trips.complete(key, details));
  });
}

function keyOf(query: KioskRequest['Querystring']): TripKey {
  const { email } = kioskRider(query.rider_id);
  return { riderid: email, tripinfo: checkedInfo(query.trip_info) };
}
