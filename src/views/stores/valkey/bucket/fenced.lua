-- Why the leader whose epoch this is may not write; nil when it may.
local function refusal(epoch)
  local leader = redis.call('HGET', KEYS[1], 'leader')
  if leader == epoch then return nil end
  if leader and tonumber(leader) > tonumber(epoch) then return 'deposed by ' .. leader end
  return 'absent fence'
end
