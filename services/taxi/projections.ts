import { attributesToWrite, type Item, projection, type TargetRow } from '../../src/index.ts';

/** Column of `rides.completed_trips` and its type; the attribute has the same name in capitals. */
const TRIP_COLUMNS = {
  id: 'bigint',
  rider_id: 'bigint',
  driver_id: 'integer',
  vehicle_id: 'text',
  cab_type_id: 'integer',
  vendor_id: 'integer',
  rate_code_id: 'integer',
  payment_type: 'integer',
  passenger_count: 'integer',
  pickup_datetime: 'timestamptz',
  dropoff_datetime: 'timestamptz',
  pickup_longitude: 'numeric',
  pickup_latitude: 'numeric',
  dropoff_longitude: 'numeric',
  dropoff_latitude: 'numeric',
  trip_distance: 'numeric',
  trip_type: 'integer',
  fare_amount: 'numeric',
  extra: 'numeric',
  mta_tax: 'numeric',
  tip_amount: 'numeric',
  tolls_amount: 'numeric',
  improvement_surcharge: 'numeric',
  total_amount: 'numeric',
} as const;

const RIDER_COLUMNS = { rider_id: 'bigint', rider_name: 'text', rider_mobile: 'text' } as const;

const DRIVER_COLUMNS = {
  driver_name: 'text',
  driver_email: 'text',
  driver_mobile: 'text',
  vehicle_id: 'text',
  cab_type_id: 'integer',
  vendor_id: 'integer',
} as const;

const RIDER_ATTRIBUTES = columns(RIDER_COLUMNS);
const DRIVER_ATTRIBUTES = columns(DRIVER_COLUMNS);
const TRIP_ATTRIBUTES = columns(TRIP_COLUMNS);

/** The relational side: riders, drivers, and one row for each completed trip. */
export const projections = {
  rides: projection({
    schema: 'rides',
    migrations: new URL('./target/', import.meta.url),
    tables: [
      {
        source: 'taxi.rider_items',
        target: 'rides.riders',
        key: { rider_email: 'text' },
        columns: RIDER_COLUMNS,
        keyOf: ({ riderid }) => ({ rider_email: riderid as string }),
        rowOf: ({ attributes }) => columnsOf(attributesToWrite(attributes as string), RIDER_ATTRIBUTES),
      },
      {
        source: 'taxi.driver_items',
        target: 'rides.drivers',
        key: { driver_id: 'integer' },
        columns: DRIVER_COLUMNS,
        keyOf: ({ driverid }) => ({ driver_id: driverid as string }),
        rowOf: ({ attributes }) => columnsOf(attributesToWrite(attributes as string), DRIVER_ATTRIBUTES),
      },
      {
        source: 'taxi.trip_items',
        target: 'rides.completed_trips',
        key: { rider_email: 'text', trip_info: 'text' },
        columns: TRIP_COLUMNS,
        keyOf: ({ riderid, tripinfo }) => ({ rider_email: riderid as string, trip_info: tripinfo as string }),
        rowOf: ({ attributes }) => {
          // Most changes are of trips that are not completed: they need not be read at all.
          if (!(attributes as string).includes('"Completed"')) return null;
          const item = attributesToWrite(attributes as string);
          return item.STATUS === 'Completed' ? columnsOf(item, TRIP_ATTRIBUTES) : null;
        },
      },
    ],
  }),
};

type Columns = readonly (readonly [column: string, attribute: string])[];

function columns(types: Readonly<Record<string, string>>): Columns {
  return Object.keys(types).map((column) => [column, column.toUpperCase()]);
}

/** Throws for an attribute that is missing or no plain value: the item is a dead letter then. */
function columnsOf(item: Item, columns: Columns): TargetRow {
  const row: Record<string, string> = {};
  for (const [column, name] of columns) {
    const value = item[name];
    if (value === undefined || value === null) throw new Error(`the attribute ${name} is missing`);
    if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
      throw new Error(`the attribute ${name} is no plain value`);
    row[column] = String(value);
  }
  return row;
}
