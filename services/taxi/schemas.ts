import { Type } from '../../src/index.ts';

export const Problem = Type.Object({ message: Type.String({ description: 'What is wrong, and what to do' }) });

const AMOUNT = Type.Union([Type.Number(), Type.String({ maxLength: 20 })], {
  description: 'Dollars, two decimal places at most',
  examples: ['12.30'],
});
const DEGREES = Type.Number({ examples: [40.758] });

export const Booking = Type.Object(
  {
    mobile: Type.Optional(Type.String({ maxLength: 20, examples: ['+11492133668'] })),
    pickup_longitude: Type.Optional(DEGREES),
    pickup_latitude: Type.Optional(DEGREES),
    passenger_count: Type.Optional(Type.Number()),
  },
  { additionalProperties: false },
);

export const Acceptance = Type.Object(
  {
    driver_id: Type.Optional(Type.Integer({ description: 'For admins; a driver accepts as themselves', minimum: 1 })),
    pickup_longitude: Type.Optional(DEGREES),
    pickup_latitude: Type.Optional(DEGREES),
    trip_type: Type.Optional(Type.Number()),
    store_and_fwd_flag: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

export const Nothing = Type.Object({}, { additionalProperties: false });

export const Completion = Type.Object(
  {
    dropoff_longitude: Type.Optional(DEGREES),
    dropoff_latitude: Type.Optional(DEGREES),
    trip_distance: Type.Optional(Type.Number()),
    rate_code_id: Type.Optional(Type.Number()),
    payment_type: Type.Optional(Type.Number()),
    passenger_count: Type.Optional(Type.Number()),
    fare_amount: Type.Optional(AMOUNT),
    extra: Type.Optional(AMOUNT),
    mta_tax: Type.Optional(AMOUNT),
    tip_amount: Type.Optional(AMOUNT),
    tolls_amount: Type.Optional(AMOUNT),
    improvement_surcharge: Type.Optional(AMOUNT),
  },
  { additionalProperties: false },
);

export const TripPath = Type.Object({
  id: Type.String({ maxLength: 400, examples: ['person71463@example.com,2020-04-05T18:52:42Z,8987397'] }),
});

export const TripQuery = Type.Object({
  rider: Type.Optional(Type.String({ maxLength: 200, description: "A rider's name" })),
  driver: Type.Optional(Type.String({ maxLength: 200, description: "A driver's name" })),
  status: Type.Optional(
    Type.Union(['Booked', 'InProgress', 'Completed', 'Cancelled'].map((each) => Type.Literal(each))),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  cursor: Type.Optional(Type.String({ maxLength: 4000 })),
});

export const BillingQuery = Type.Object({
  date: Type.Optional(
    Type.String({ maxLength: 40, description: 'A day, UTC; today unless told', examples: ['2026-11-21'] }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
});

export const WriteHeaders = Type.Object({
  authorization: Type.Optional(Type.String({ description: 'The ID token, bare or after "Bearer "' })),
  'idempotency-key': Type.Optional(
    Type.String({ description: 'A name for this request, such as a UUID: sent again, it is not done again' }),
  ),
});
