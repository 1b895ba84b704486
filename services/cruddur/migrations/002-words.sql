-- What a search looks through. Words are letters and digits with anything else between them: PostgreSQL's own parser takes `he/she` for
-- a file's name and `example.com/path` for an address, and in the embedded server `it’s` and `great👍fun` for one word each. NFKC, so
-- that what looks alike is alike, however it was typed.
--
-- Where the database's locale knows no letters beyond ASCII, everything beyond it counts as one.
create function cruddur.words(text) returns text language sql immutable parallel safe
  return regexp_replace(
    normalize($1, nfkc),
    case when 'é' ~ '[[:alnum:]]' then '[^[:alnum:] ]+' else '[^[:alnum:] \u0080-\U0010ffff]+' end,
    ' ', 'g');

-- A number begins a word also behind letters: `v1.5` is found by `1.5`.
create function cruddur.searched(text) returns tsvector language sql immutable parallel safe
  return to_tsvector('simple', cruddur.words($1) || ' ' || regexp_replace($1, '[^0-9]+', ' ', 'g'));

alter table cruddur.users
  drop column search,
  add column search tsvector generated always as (cruddur.searched(handle || ' ' || display_name)) stored;
create index users_search on cruddur.users using gin (search);

alter table cruddur.activities
  drop column search,
  add column search tsvector generated always as (cruddur.searched(message)) stored;
create index activities_search on cruddur.activities using gin (search);
