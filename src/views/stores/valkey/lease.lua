-- Whether a row that was read beside the stream may be held: by transaction visibility (CORRECTNESS 11). The log shows a commit
-- before snapshots do, so a reading can be past a change in the log and not have it in its rows.
--   touched  sorted set, key -> transaction id of the last change applied, of rows that are not held too
--   lease    hash: `floor`, a transaction id: changes up to it may be missing in `touched`; `passed`, a position: at it a reading
--            was taken that saw all of those, absent while there was none; `founded`: the floor covers what came before the bucket

-- A change is not remembered any more. A reading sees it for sure if all transactions up to the floor had ended when it began,
-- or if it began after a reading that saw it: after `passed`.
local function raise(xid)
  local floor = redis.call('HGET', key('lease'), 'floor')
  if not floor or is_before(tonumber(floor), xid) then
    redis.call('HSET', key('lease'), 'floor', string.format('%.0f', xid))
  end
  redis.call('HDEL', key('lease'), 'passed')
end

local function passed()
  redis.call('HSET', key('lease'), 'passed', string.format('%.0f', position()))
end

-- All that ended before the bucket began to follow has a lower transaction id than this one, which was given out after this generation
-- of it said so: whoever was held up meanwhile brings one of an earlier generation.
function amends.found(unfounded, xid)
  if unfounded ~= key('lease') then return end
  if redis.call('HSETNX', key('lease'), 'founded', '1') == 1 then raise(tonumber(xid)) end
end

local function note(id, xid)
  redis.call('ZADD', key('touched'), xid, id)
  local excess = redis.call('ZCARD', key('touched')) - MAX_TOUCHED
  if excess <= 0 then return end
  local gone = redis.call('ZPOPMIN', key('touched'), excess)
  for i = 2, #gone, 2 do raise(tonumber(gone[i])) end
end

-- Whoever sees this sees all that came before: emptying a table waits for its writers.
local function note_all(xid)
  redis.call('UNLINK', key('touched'))
  raise(xid)
end

-- Whether a reading sees what is not remembered; nil while the bucket is not founded. `since` is a position that was applied
-- before it began.
local function is_above_floor(since, snapshot)
  local founded, floor, last = unpack(redis.call('HMGET', key('lease'), 'founded', 'floor', 'passed'))
  if not founded then return nil end
  if last and since > tonumber(last) then return true end
  if not is_before(tonumber(floor), snapshot.xmin) then return false end
  if not last then passed() end
  return true
end

-- Whether it sees the last change of a key.
local function sees_change(id, snapshot)
  local xid = redis.call('ZSCORE', key('touched'), id)
  return not xid or is_visible(tonumber(xid), snapshot)
end

-- Forgets changes that a reading above the floor sees, when there are many: those of the lowest transaction ids.
local function prune(snapshot)
  if redis.call('ZCARD', key('touched')) <= MAX_TOUCHED / 2 then return end
  local oldest = redis.call('ZRANGE', key('touched'), 0, math.ceil(MAX_TOUCHED / 4), 'WITHSCORES')
  local seen = {}
  for i = 1, #oldest, 2 do
    local xid = tonumber(oldest[i + 1])
    if is_visible(xid, snapshot) then
      seen[#seen + 1] = oldest[i]
      raise(xid)
    end
  end
  if #seen == 0 then return end
  each_thousand(seen, function(...) redis.call('ZREM', key('touched'), ...) end)
  passed()
end
