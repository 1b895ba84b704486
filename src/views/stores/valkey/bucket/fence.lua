-- ARGV: leader's epoch. From now on nobody with a lower one writes.
local leader = redis.call('HGET', KEYS[1], 'leader')
if leader and tonumber(leader) > tonumber(ARGV[1]) then return 'deposed by ' .. leader end
redis.call('HSET', KEYS[1], 'leader', ARGV[1])
return 'applied'
