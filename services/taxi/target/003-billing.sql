/*
 * As it was made in 002, and a third cheaper for a million trips: that a trip has a mark already is looked up for all of them at once,
 * and the marks are plain inserts. (`on conflict` looks up each by itself, inserts it as a speculation, and confirms that.) One at a
 * time, so nobody else makes marks meanwhile; whoever did by hand would end this with an error, and nothing would be billed.
 */
create or replace procedure rides.billingandpayments() language plpgsql set work_mem = '256MB' as $$
declare
  this_cycle bigint;
  trips_billed bigint;
  drivers_billed bigint;
  paid bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('rides.billingandpayments', 0));
  this_cycle := nextval('rides.billing_cycle');

  -- One statement, one snapshot: what is marked is what is summed. A row that was made anew after it had been billed is
  -- Processed again, and has its mark.
  with processed as (
    update rides.trips set status = 'Processed' where status = 'Completed'
    returning rider_email, trip_info, driver_id, total_amount, pickup_datetime, dropoff_datetime
  ),
  marked as (
    insert into rides.billed_trips (rider_email, trip_info, cycle, driver_id, total_amount, pickup_datetime, dropoff_datetime)
    select rider_email, trip_info, this_cycle, driver_id, total_amount, pickup_datetime, dropoff_datetime from processed p
     where not exists (
       select from rides.billed_trips b where b.rider_email = p.rider_email and b.trip_info = p.trip_info)
     order by rider_email, trip_info
    returning driver_id, total_amount, pickup_datetime, dropoff_datetime
  ),
  billed as (
    insert into rides.billing (cycle, driver_id, ride_count, total_amount, billing_start, billing_end)
    select this_cycle, driver_id, count(*), sum(total_amount), min(pickup_datetime), max(dropoff_datetime)
      from marked group by driver_id order by driver_id
    returning ride_count
  )
  select count(*), coalesce(sum(ride_count), 0) into drivers_billed, trips_billed from billed;
  raise notice 'billing: % trips of % drivers in cycle %', trips_billed, drivers_billed, this_cycle;

  insert into rides.payment (billing_id, driver_id, amount)
  select billing_id, driver_id, round(total_amount * commission, 2) from rides.billing where cycle = this_cycle;
  get diagnostics paid = row_count;
  raise notice 'payments: %', paid;
end $$;
