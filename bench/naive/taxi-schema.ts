import { readFileSync } from 'node:fs';

const read = (path: string) => readFileSync(new URL(`../../services/taxi/${path}`, import.meta.url), 'utf8');

/** Lockstep's own tables, with their indexes and references: what is compared is the way into them. */
export const TAXI_SCHEMA = `
  create schema if not exists rides;
  ${['001-items', '002-trips-by-driver'].map((name) => read(`migrations/${name}.sql`)).join('')}
  ${['001-rides', '002-billing', '003-billing', '004-billing'].map((name) => read(`target/${name}.sql`)).join('')}
  insert into rides.drivers
  select driverid::integer, attributes ->> 'DRIVER_NAME', attributes ->> 'DRIVER_EMAIL', attributes ->> 'DRIVER_MOBILE',
         attributes ->> 'VEHICLE_ID', (attributes ->> 'CAB_TYPE_ID')::integer, (attributes ->> 'VENDOR_ID')::integer
    from taxi.driver_items;`;
