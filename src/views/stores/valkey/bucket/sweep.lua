-- Deletes keys of generations that are not served. ARGV: leader's epoch, keys.
local refused = refusal(ARGV[1])
if refused then return refused end
local served = KEYS[1] .. ':' .. (redis.call('HGET', KEYS[1], 'generation') or '')
for i = 2, #ARGV do
  local name = ARGV[i]
  if name ~= served and string.sub(name, 1, #served + 1) ~= served .. ':' then redis.call('UNLINK', name) end
end
return 'applied'
