-- KEYS[1] is the bucket's pointer: generation (the served one), leader (the epoch of who may write).
-- ARGV[1] is the generation that is meant; empty: the served one.
local pointer = KEYS[1]
local generation = ARGV[1]
if generation == '' then generation = redis.call('HGET', pointer, 'generation') or '' end
local meta = pointer .. ':' .. generation

local function key(name)
  return meta .. ':' .. name
end

local function position()
  return tonumber(redis.call('HGET', meta, 'position') or 0)
end

local applies, reads, amends = {}, {}, {}
