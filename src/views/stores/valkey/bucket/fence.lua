-- ARGV: leader's epoch, its process. From now on nobody with a lower one writes. After a failover to a standby that was behind, the
-- record may give one out again: only its first holder has it.
local leader, holder = unpack(redis.call('HMGET', KEYS[1], 'leader', 'holder'))
local held = leader and (tonumber(leader) - tonumber(ARGV[1])) or -1
if held > 0 or (held == 0 and holder and holder ~= ARGV[2]) then return 'deposed by ' .. leader end
redis.call('HSET', KEYS[1], 'leader', ARGV[1], 'holder', ARGV[2])
return 'applied'
