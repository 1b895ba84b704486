-- A driver's trips by their name, which is theirs alone: an e-mail address is neither unique nor confirmed.
drop index taxi.trip_items_driver;
create index trip_items_driver on taxi.trip_items (((attributes ->> 'DRIVER_NAME') collate "C"), tripinfo, riderid);
