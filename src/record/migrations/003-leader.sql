-- Of many nodes that share a store of views, the one that follows the record. One row.
create table lockstep.leader (
  only_one    boolean primary key default true check (only_one),
  -- Names this database to the nodes on one Valkey; the same after a failover.
  database    uuid not null default gen_random_uuid(),
  -- Goes up with each node that takes over: what an older one still sends is refused.
  epoch       bigint not null default 0,
  node        text,
  -- The server process that holds the leader's lock.
  pid         integer,
  -- Once a second while the leader lives.
  heartbeat   timestamptz,
  -- What the followed tables looked like when the views were last known to be the record's: DDL changes rows without telling.
  fingerprint text
);
insert into lockstep.leader default values;
