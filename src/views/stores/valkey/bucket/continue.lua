-- The record's log goes on in another epoch, and has all that this bucket has. Only where it stands as it was found.
-- ARGV: generation, leader's epoch, the record's epoch before, and from now on, position.
local refused = refusal(ARGV[2])
if refused then return refused end
local meta = KEYS[1] .. ':' .. ARGV[1]
local held = redis.call('HMGET', meta, 'epoch', 'position', 'torn')
if held[1] == ARGV[4] then return 'skipped' end
if held[1] ~= ARGV[3] or held[2] ~= ARGV[5] or held[3] then return 'gap at ' .. (held[2] or 'none') end
redis.call('HSET', meta, 'epoch', ARGV[4])
return 'applied'
