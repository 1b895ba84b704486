-- A step without operations for many buckets of one server at once: those where all is as it should be. Answers with 1 for each that
-- took it; the others are to be asked one by one, which tells why.
-- ARGV: generation, leader's epoch, record's epoch, previous, next.
local taken = {}
for i, pointer in ipairs(KEYS) do
  local meta = pointer .. ':' .. ARGV[1]
  local held = redis.call('HMGET', meta, 'epoch', 'position', 'torn')
  local fits = held[1] == ARGV[3] and held[2] == ARGV[4] and not held[3]
  if fits and redis.call('HGET', pointer, 'leader') == ARGV[2] then
    redis.call('HSET', meta, 'position', ARGV[5])
    taken[i] = 1
  else
    taken[i] = 0
  end
end
return taken
