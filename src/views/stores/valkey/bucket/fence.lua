-- ARGV: leader's epoch, who that is. From now on nobody with a lower one writes, nor anybody else with the same one.
local held = redis.call('HMGET', KEYS[1], 'leader', 'holder')
local leader = tonumber(held[1] or 0)
if leader > tonumber(ARGV[1]) or (leader == tonumber(ARGV[1]) and held[2] ~= ARGV[2]) then
  return 'deposed by ' .. held[1]
end
redis.call('HSET', KEYS[1], 'leader', ARGV[1], 'holder', ARGV[2])
return 'applied'
