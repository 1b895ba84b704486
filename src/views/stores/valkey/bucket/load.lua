-- Rows of a snapshot for a generation that is being built.
-- ARGV: generation, leader's epoch, the position it stands at from now on (empty: more follows), operations.
local refused = refusal(ARGV[2])
if refused then return refused end
local held = redis.call('HMGET', meta, 'building', 'position')
if ARGV[3] ~= '' and held[2] == ARGV[3] then return 'skipped' end
if held[1] ~= ARGV[2] then return 'absent generation' end
local failure = attempt(4)
if failure then return failure end
if ARGV[3] ~= '' then
  redis.call('HSET', meta, 'position', ARGV[3])
  redis.call('HDEL', meta, 'building', 'torn')
end
return 'applied'
