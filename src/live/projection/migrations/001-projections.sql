-- In the target's database: how far each projection is, and what it could not project.
create table lockstep.projections (
  name        text primary key,
  -- Of the record's log; null while the target is brought in line with a snapshot.
  epoch       text,
  lsn         bigint,
  -- Goes up with each process that takes the projection over: an older one writes nothing any more.
  leader      bigint not null default 0,
  -- Goes up with each change of its dead letters, which the process that follows knows by heart.
  letters     bigint not null default 0,
  -- What the followed tables looked like: DDL changes rows without telling.
  fingerprint text,
  moved_at    timestamptz not null default now()
);

create table lockstep.dead_letters (
  projection text not null,
  target     text not null,
  key        text not null,
  -- The source row as it is now; null: deleted.
  source     jsonb,
  reason     text not null,
  -- Changes of the same key that came after it and wait with it.
  held       integer not null default 0,
  attempts   integer not null default 1,
  first_at   timestamptz not null default now(),
  last_at    timestamptz not null default now(),
  primary key (projection, target, key)
);

-- Keys found in the snapshot, while a projection is brought in line with it. Worth nothing after a crash.
create unlogged table lockstep.projection_seen (
  projection text not null,
  leader     bigint not null,
  target     text not null,
  key        text[] not null
);
