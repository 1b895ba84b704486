create schema if not exists scribble;

-- Every point ever drawn, in the order of its commits: the record. Nothing changes a row; clearing and rolling back add rows.
create table scribble.points (
  point_id bigint generated always as identity primary key,
  -- The cell: y * 1000 + x.
  index    integer not null check (index between 0 and 999999),
  x        smallint not null generated always as (index % 1000) stored,
  y        smallint not null generated always as (index / 1000) stored,
  -- NULL clears the cell.
  color    smallint check (color between 0 and 15),
  -- Who drew it: the user, where one was signed in, and the address.
  username text,
  address  text not null,
  drawn_at timestamptz not null default clock_timestamp()
);

-- What a cell was before; and the times, which ascend with the rows and so need next to no index.
create index points_by_cell on scribble.points (index, point_id);
create index points_by_time on scribble.points using brin (drawn_at) with (pages_per_range = 16, autosummarize = on);

-- The canvas: each cell that was ever drawn on, as its newest point left it. Bounded, so that the view is built in a moment
-- however long the history is.
create table scribble.cells (
  index    integer primary key,
  color    smallint,
  point_id bigint not null,
  drawn_at timestamptz not null
) with (fillfactor = 70);

-- Writers take turns: the lock is held until the commit, so that numbers, times and commits come in one order, whoever writes.
-- Taken before the first row gets its number.
create function scribble.take_turn() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext('scribble'), hashtext('points'));
  return null;
end $$;

create trigger take_turn before insert on scribble.points
  for each statement execute function scribble.take_turn();

-- The cells follow the points in the same transaction, and change in the order of the points.
create function scribble.draw_cells() returns trigger language plpgsql as $$
begin
  insert into scribble.cells as cell (index, color, point_id, drawn_at)
  select * from (
    select distinct on (index) index, color, point_id, drawn_at from drawn order by index, point_id desc) as newest
  order by point_id
  on conflict (index) do update
    set color = excluded.color, point_id = excluded.point_id, drawn_at = excluded.drawn_at;
  return null;
end $$;

create trigger draw_cells after insert on scribble.points
  referencing new table as drawn for each statement execute function scribble.draw_cells();

-- Whoever mends the canvas by hand adds points; a cell changed behind them would not be found by clients that come back.
create function scribble.refuse() returns trigger language plpgsql as $$
begin
  raise exception 'scribble.cells follows scribble.points: insert a point to change a cell' using errcode = '55000';
end $$;

create trigger only_by_points before insert or update or delete or truncate on scribble.cells
  for each statement when (pg_trigger_depth() = 0) execute function scribble.refuse();

-- Who may not draw. One of username and address.
create table scribble.bans (
  ban_id    bigint generated always as identity primary key,
  username  text,
  address   text,
  reason    text not null,
  banned_by text not null,
  banned_at timestamptz(3) not null default now(),
  until     timestamptz(3) not null default 'infinity',
  check (num_nonnulls(username, address) = 1)
);
create index bans_by_username on scribble.bans (username);
create index bans_by_address on scribble.bans (address);

-- What was taken back: the points of one user or address among the numbers. One of username and address.
create table scribble.rollbacks (
  rollback_id    bigint generated always as identity primary key,
  username       text,
  address        text,
  first_point    bigint not null,
  last_point     bigint not null,
  rolled_back_by text not null,
  rolled_back_at timestamptz(3) not null default now(),
  check (num_nonnulls(username, address) = 1)
);
