import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  ClientError,
  type Item,
  idempotencyKey,
  type ServiceContext,
  sendWritten,
  type User,
  type Written,
} from '../../../src/index.ts';
import { acceptDetails, bookingDetails, completeDetails } from '../details.ts';
import type { Step } from '../items.ts';
import { guessing, Repeats } from '../repeats.ts';
import { mobileNumber, riderEmail, riderOf, tripId, tripKey } from '../riders.ts';
import * as schemas from '../schemas.ts';
import type { TripKey, Trips } from '../trips.ts';
import { checkList, forbidden, isDriverOf, isOwn } from './rights.ts';
import { isAdmin, isDriver, signedIn } from './signed-in.ts';

const TAGS = ['taxi'];
const SIGNED_IN = [{ token: [] }];

type Body = Readonly<Record<string, unknown>>;

export function tripRoutes(fastify: FastifyInstance, context: ServiceContext, trips: Trips): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  const { identity, live } = context;
  const repeats = new Repeats({ record: context.record, trips });
  const schema = (summary: string) => ({ tags: TAGS, summary, security: SIGNED_IN, headers: schemas.WriteHeaders });

  /** Does the work once for each `Idempotency-Key` of the user, and answers with the trip. */
  async function answer(
    request: FastifyRequest,
    reply: FastifyReply,
    user: User,
    work: (trips: Trips) => Promise<Written<Item>>,
  ): Promise<FastifyReply> {
    const key = idempotencyKey(request);
    const fingerprint = [request.method, request.url, request.body ?? null];
    const once = () => (key === undefined ? work(trips) : repeats.once({ user, key, fingerprint }, work));
    const written = await guessing(once);
    return sendWritten(reply, written, live, shown(written.value));
  }

  app.post('/trips', { schema: { ...schema('Book a trip'), body: schemas.Booking } }, async (request, reply) => {
    const user = await signedIn(request, identity);
    const { mobile, ...given } = request.body;
    const rider = riderOf(user, mobile === undefined ? '+10000000000' : mobileNumber(mobile));
    return answer(request, reply, user, (at) => at.book(rider, bookingDetails(given)));
  });

  app.get('/trips/:id', { schema: { ...schema('One trip'), params: schemas.TripPath } }, async (request) => {
    const user = await signedIn(request, identity);
    const trip = await trips.get(tripKey(request.params.id));
    if (!isOwn(trip, user) && !isDriver(user)) throw forbidden('see');
    return shown(trip);
  });

  function step(
    name: Step,
    body: object,
    work: (trips: Trips, key: TripKey, user: User, given: Body) => Promise<Written<Item>>,
  ): void {
    app.post(
      `/trips/:id/${name}`,
      {
        preValidation: noBody,
        schema: { ...schema(`${name[0]!.toUpperCase()}${name.slice(1)} a trip`), params: schemas.TripPath, body },
      },
      async (request, reply) => {
        const user = await signedIn(request, identity);
        const key = tripKey((request.params as { id: string }).id);
        return answer(request, reply, user, (at) => work(at, key, user, request.body as Body));
      },
    );
  }

  step('accept', schemas.Acceptance, async (trips, key, user, given) => {
    const driver = await driverFor(trips, user, given.driver_id as number | undefined);
    return trips.accept(key, acceptDetails(given), driver);
  });
  step('start', schemas.Nothing, async (trips, key, user) => {
    await ownDrive(trips, key, user, 'start');
    return trips.start(key, { START_DATETIME: new Date().toISOString() });
  });
  step('complete', schemas.Completion, async (trips, key, user, given) => {
    const trip = await ownDrive(trips, key, user, 'complete');
    return trips.complete(key, completeDetails(trip, given));
  });
  step('cancel', schemas.Nothing, async (trips, key, user) => {
    const trip = await trips.get(key);
    if (!isOwn(trip, user)) throw forbidden('cancel');
    return trips.cancel(key, { CANCEL_DATETIME: new Date().toISOString() });
  });

  app.get(
    '/trips',
    { schema: { ...schema('Trips, newest first'), querystring: schemas.TripQuery } },
    async (request) => {
      const user = await signedIn(request, identity);
      const { rider, driver, status, limit = 20, cursor } = request.query;
      checkList(user, request.query);
      const page = { descending: true, limit, ...(cursor !== undefined && { cursor }) };
      const { items, cursor: next } = await trips.table.query(
        rider !== undefined
          ? { partition: riderEmail(rider), ...page }
          : driver !== undefined
            ? { index: 'driver', partition: driver, ...page }
            : { index: 'status', partition: status!, ...page },
      );
      return { trips: items.map(shown), cursor: next ?? null };
    },
  );
}

/** A step needs no body. */
async function noBody(request: FastifyRequest): Promise<void> {
  request.body ??= {};
}

/** With the id under which it is found. */
function shown(trip: Item) {
  return { id: tripId(trip), ...trip };
}

/** A driver accepts as themselves; an admin for a driver they name, or for any free one. */
async function driverFor(trips: Trips, user: User, id: number | undefined): Promise<Item | undefined> {
  if (isAdmin(user)) return id === undefined ? undefined : trips.driver(id);
  if (!isDriver(user)) throw new ClientError(403, 'Only a driver may accept a trip: ask an admin for the role.');
  if (id !== undefined) throw new ClientError(403, 'Only an admin may name the driver; you accept as yourself.');
  return trips.registered(user.username, user.email ?? `${user.username}@example.com`);
}

async function ownDrive(trips: Trips, key: TripKey, user: User, what: string): Promise<Item> {
  const trip = await trips.get(key);
  if (isAdmin(user) || isDriverOf(trip, user)) return trip;
  throw new ClientError(403, `Only the trip's driver may ${what} it.`);
}
