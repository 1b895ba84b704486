-- A new generation, to be loaded. ARGV: generation, leader's epoch, record's epoch, shape.
local refused = refusal(ARGV[2])
if refused then return refused end
local meta = KEYS[1] .. ':' .. ARGV[1]
redis.call('DEL', meta)
redis.call('HSET', meta, 'building', ARGV[2], 'epoch', ARGV[3], 'shape', ARGV[4])
return 'applied'
