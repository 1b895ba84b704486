-- Work that services do at set times: when each is due next, and how its last run went.
create table lockstep.schedules (
  name        text primary key,
  -- As declared; another one starts the schedule anew.
  timing      text not null,
  due         timestamptz not null,
  started_at  timestamptz,
  finished_at timestamptz,
  error       text
);
