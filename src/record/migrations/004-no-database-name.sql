-- Copied with the database, it did not tell two of them apart: what names a database in a store is made of what its log is known by.
alter table lockstep.leader drop column database;
