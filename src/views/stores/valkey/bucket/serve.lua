-- Serves a generation that is built, instead of an earlier one. ARGV: generation, leader's epoch.
local refused = refusal(ARGV[2])
if refused then return refused end
local held = redis.call('HMGET', KEYS[1] .. ':' .. ARGV[1], 'position', 'building')
local served = redis.call('HGET', KEYS[1], 'generation')
if not held[1] or held[2] or (served and tonumber(served) > tonumber(ARGV[1])) then return 'absent generation' end
redis.call('HSET', KEYS[1], 'generation', ARGV[1])
return 'applied'
