-- The feed kind. Before it: HOLD, EXPIRES and AUTHOR (which line of a row they are on), rows.lua, profiles.lua.
--   newest  sorted set of the places of the rows held, all with score 0: in the order of the ids
--   rows    hash, place -> row
--   floor   string: the place at or below which rows have been let go of; absent where none was
--   aside   set of the places of rows that cannot be held as they are: while there is one, the record answers

local function let_go(count)
  local dropped = redis.call('ZRANGE', key('newest'), 0, count - 1)
  redis.call('ZREMRANGEBYRANK', key('newest'), 0, count - 1)
  each_thousand(dropped, function(...) redis.call('HDEL', key('rows'), ...) end)
  redis.call('SET', key('floor'), dropped[count])
end

local function forget(place)
  redis.call('HDEL', key('rows'), place)
  redis.call('ZREM', key('newest'), place)
  redis.call('SREM', key('aside'), place)
end

local function floor()
  return redis.call('GET', key('floor')) or ''
end

-- The row at `old` is now at `place`. `parent` is its parent as a value: empty where the log did not carry it.
function applies.row(old, place, parent, text)
  local known = redis.call('HGET', key('rows'), old) or redis.call('HGET', key('rows'), place)
  local floor = floor()
  forget(old)
  forget(place)
  if known then
    -- What is held is on the feed.
    if parent == '' then parent = 'null' end
    text = filled(text, known)
  elseif parent == '' and old > floor then
    return -- not held above the floor: not on the feed, and still not
  end
  if place <= floor or (parent ~= 'null' and parent ~= '') then return end
  if parent == '' or not is_whole(text) then
    redis.call('SADD', key('aside'), place)
    return
  end
  redis.call('HSET', key('rows'), place, text)
  redis.call('ZADD', key('newest'), 0, place)
  local count = redis.call('ZCARD', key('newest'))
  -- In bulk: half as many again are kept before the oldest go.
  if count > HOLD * 1.5 then let_go(count - HOLD) end
end

function applies.delete_row(place)
  forget(place)
end

function applies.truncate_rows()
  redis.call('UNLINK', key('newest'), key('rows'), key('floor'), key('aside'))
end

local function is_expired(expires, now)
  if expires == 'null' then return false end
  return (tonumber(expires) or tonumber(string.sub(expires, 1, -2))) <= now
end

-- Adds rows of `places` with their authors' profiles; false where a profile is not known.
local function add_shown(found, places, now, limit)
  for _, text in ipairs(all_of(key('rows'), places)) do
    if #found == limit * 2 then return true end
    local values = lines(text)
    if not is_expired(values[EXPIRES], now) then
      local profile = profile_of(values[AUTHOR])
      if not profile then return false end
      found[#found + 1] = text
      found[#found + 1] = profile
    end
  end
  return true
end

-- Rows and profiles in turn, from the highest place below `before` down (`+`: from the end); nil where it takes rows that are not held.
function reads.newest(limit, now, before)
  limit, now = tonumber(limit), tonumber(now)
  if redis.call('SCARD', key('aside')) > 0 then return false end
  local found = {}
  while #found < limit * 2 do
    local places = redis.call('ZREVRANGEBYLEX', key('newest'), before, '-', 'LIMIT', 0, limit)
    if #places == 0 then
      if floor() ~= '' then return false end
      return found
    end
    if not add_shown(found, places, now, limit) then return false end
    before = '(' .. places[#places]
  end
  return found
end

-- For `verify`: the rows above one place and up to another; nil where rows that high have been let go of, or are not known.
function reads.between(above, to)
  if redis.call('SCARD', key('aside')) > 0 then return false end
  if to ~= '+' and string.sub(to, 2) <= floor() then return false end
  return all_of(key('rows'), redis.call('ZRANGEBYLEX', key('newest'), above, to))
end

function reads.entries()
  return redis.call('HLEN', key('rows'))
end
