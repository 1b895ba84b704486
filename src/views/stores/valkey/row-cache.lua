-- The row-cache kind. Before it: MAX_BYTES and MAX_TOUCHED of one bucket, ABSENT_EXPIRES (1 where it does), rows.lua, visibility.lua,
-- lease.lua (which has further keys).
--   rows     hash, key -> the row as JSON, `null` where there is none
--   used     sorted set, key -> when it was used last, by the bucket's count: the lowest makes room
--   expires  sorted set, key -> milliseconds since 1970, by the clock of the node that brought it; not in it: never
--   ahead    sorted set, key -> the end of the log that a reading saw, where its row may be newer than the bucket
--   seen     hash, key -> the snapshot of that reading
--   cache    hash: bytes, uses, evictions, expirations

-- What a row takes besides its texts: measured with MEMORY USAGE, rounded up.
local OVERHEAD = 250

local function number(value)
  return string.format('%.0f', value)
end

local function size(id, text)
  return OVERHEAD + 3 * #id + #text
end

local function add(counter, by)
  return redis.call('HINCRBY', key('cache'), counter, number(by))
end

local function forget_reading(id)
  if redis.call('ZREM', key('ahead'), id) == 1 then redis.call('HDEL', key('seen'), id) end
end

local function drop(id, text)
  redis.call('HDEL', key('rows'), id)
  redis.call('ZREM', key('used'), id)
  redis.call('ZREM', key('expires'), id)
  forget_reading(id)
  add('bytes', -size(id, text))
end

local function make_room(bytes)
  while bytes > MAX_BYTES do
    local id = redis.call('ZRANGE', key('used'), 0, 0)[1]
    if not id then return end
    drop(id, redis.call('HGET', key('rows'), id))
    bytes = add('evictions', 1) and tonumber(redis.call('HGET', key('cache'), 'bytes'))
  end
end

local function use(id)
  redis.call('ZADD', key('used'), add('uses', 1), id)
end

-- Holds a row in the place of `old`, false where none is held.
local function hold(id, text, old)
  redis.call('HSET', key('rows'), id, text)
  make_room(add('bytes', size(id, text) - (old and size(id, old) or 0)))
end

-- Whether the row that is held has this commit in it already, which the bucket has not applied yet.
local function has_commit(id, xid)
  local last = redis.call('ZSCORE', key('ahead'), id)
  if not last or tonumber(last) <= position() then return false end
  return is_visible(xid, snapshot_of(redis.call('HGET', key('seen'), id)))
end

local function set_expiry(id, expires)
  if expires == '' then redis.call('ZREM', key('expires'), id)
  else redis.call('ZADD', key('expires'), expires, id) end
end

-- A row that may be ahead, with all that is known of it.
local function held(id)
  return {
    id = id,
    text = redis.call('HGET', key('rows'), id),
    expires = redis.call('ZSCORE', key('expires'), id) or '',
    last = redis.call('ZSCORE', key('ahead'), id),
    seen = redis.call('HGET', key('seen'), id),
  }
end

-- A row after a change: empty where the log did not carry all of it, and who wants it reads it.
function applies.row(id, xid, text)
  xid = tonumber(xid)
  note(id, xid)
  local old = redis.call('HGET', key('rows'), id)
  if not old or has_commit(id, xid) then return end
  forget_reading(id)
  -- How long a row that is gone may be held depends on a clock: who asks for it brings one.
  if text == '' or (text == 'null' and ABSENT_EXPIRES == 1) then
    drop(id, old)
  else
    if old == 'null' then redis.call('ZREM', key('expires'), id) end
    hold(id, text, old)
  end
end

-- What a reading that saw it found afterwards stays; everything else is gone.
function applies.truncate(xid)
  local kept = {}
  for _, id in ipairs(redis.call('ZRANGE', key('ahead'), 0, -1)) do
    if has_commit(id, tonumber(xid)) then kept[#kept + 1] = held(id) end
  end
  note_all(tonumber(xid))
  redis.call('UNLINK', key('rows'), key('used'), key('expires'), key('ahead'), key('seen'))
  redis.call('HDEL', key('cache'), 'bytes')
  for _, row in ipairs(kept) do
    use(row.id)
    hold(row.id, row.text, false)
    set_expiry(row.id, row.expires)
    redis.call('ZADD', key('ahead'), row.last, row.id)
    redis.call('HSET', key('seen'), row.id, row.seen)
  end
end

-- Lets go of rows whose time was over at `now`, not all at once.
function applies.expire(now)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('expires'), '-inf', now, 'LIMIT', 0, 5000)) do
    drop(id, redis.call('HGET', key('rows'), id))
    add('expirations', 1)
  end
end

local function is_expired(id, now)
  local expires = redis.call('ZSCORE', key('expires'), id)
  return expires and tonumber(expires) <= now
end

-- Holds what was brought, unless the row is held: then that is as new, or newer.
local function take(id, text, expires, now)
  local old = redis.call('HGET', key('rows'), id)
  use(id)
  if old and not is_expired(id, now) then return false end
  forget_reading(id)
  set_expiry(id, expires)
  hold(id, text, old)
  return true
end

-- Of readings that the bucket has caught up with.
local function forget_readings()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('ahead'), '-inf', number(position()), 'LIMIT', 0, 100)) do
    forget_reading(id)
  end
end

-- Offers rows that were read: key, text and when it expires (empty: never) of each. `since` is a position that was applied before
-- the reading began, `last` the end of the log after it. Returns `floor` (the reading is too old for all), a name to be `found` by,
-- or the numbers of the rows that it is too old for, from 1.
function amends.fill(since, last, seen, now, ...)
  local snapshot = snapshot_of(seen)
  local above = is_above_floor(tonumber(since), snapshot)
  if above == nil then return key('lease') end
  if not above then return 'floor' end
  local refused, rows = {}, { ... }
  for i = 1, #rows, 3 do
    local id = rows[i]
    if not sees_change(id, snapshot) then
      refused[#refused + 1] = (i + 2) / 3
    elseif take(id, rows[i + 1], rows[i + 2], tonumber(now)) and tonumber(last) > position()
      and redis.call('HEXISTS', key('rows'), id) == 1 then
      redis.call('ZADD', key('ahead'), last, id)
      redis.call('HSET', key('seen'), id, seen)
    end
  end
  forget_readings()
  prune(snapshot)
  return refused
end

-- Offers rows as changes left them: key, transaction id, text and when it expires of each. Taken where no later change came.
function amends.keep(now, ...)
  local refused, rows = {}, { ... }
  for i = 1, #rows, 4 do
    local id, xid, text, expires = unpack(rows, i, i + 3)
    local touched = redis.call('ZSCORE', key('touched'), id)
    if touched and tonumber(touched) == tonumber(xid) then take(id, text, expires, tonumber(now))
    else refused[#refused + 1] = (i + 3) / 4 end
  end
  return refused
end

function amends.use(...)
  for _, id in ipairs({ ... }) do
    if redis.call('HEXISTS', key('rows'), id) == 1 then use(id) end
  end
end

-- The texts of rows that are held at `now`; nil for the others.
function reads.rows(now, ...)
  local ids = { ... }
  local found = redis.call('HMGET', key('rows'), ...)
  for i, text in ipairs(found) do
    if text and is_expired(ids[i], tonumber(now)) then found[i] = false end
  end
  return found
end

-- For `verify`: the row as of the bucket's position; nil where none is held, or a newer one may be.
function reads.row(id)
  local last = redis.call('ZSCORE', key('ahead'), id)
  if last and tonumber(last) > position() then return false end
  return redis.call('HGET', key('rows'), id)
end

function reads.page(cursor)
  local next, found = unpack(redis.call('ZSCAN', key('used'), cursor, 'COUNT', 500))
  local ids = {}
  for i = 1, #found, 2 do ids[#ids + 1] = found[i] end
  return { next, ids }
end

function reads.entries()
  return redis.call('HLEN', key('rows'))
end

function reads.stats()
  local counts = redis.call('HMGET', key('cache'), 'bytes', 'evictions', 'expirations')
  for i = 1, 3 do counts[i] = tonumber(counts[i] or 0) end
  return counts
end
