-- Whoever books is a rider: registered by the statement that makes the trip, in its transaction, whoever deleted the rider before.
-- In the order of their keys, so that two statements do not wait for each other.
create function taxi.register_riders() returns trigger language plpgsql as $$
begin
  insert into taxi.rider_items (riderid, attributes)
  select distinct on (riderid) riderid, jsonb_build_object(
      'RIDER_ID', attributes -> 'RIDER_ID', 'RIDER_NAME', attributes -> 'RIDER_NAME', 'RIDER_EMAIL', riderid,
      'RIDER_MOBILE', attributes -> 'RIDER_MOBILE')
    from booked
   where not exists (select from taxi.rider_items known where known.riderid = booked.riderid)
   order by riderid
  on conflict do nothing;
  return null;
end $$;

create trigger register_riders after insert on taxi.trip_items
  referencing new table as booked for each statement execute function taxi.register_riders();
