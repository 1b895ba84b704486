-- Why the served generation cannot answer for a position; nil when it can. Then `stands` is where it stands.
-- ARGV: generation (empty), record's epoch, the least position.
local stands
local function silence()
  local held = redis.call('HMGET', meta, 'epoch', 'position', 'torn')
  stands = held[2]
  if not stands then return 'absent' end
  if held[1] ~= ARGV[2] then return 'other epoch' end
  if held[3] then return 'torn' end
  if tonumber(stands) < tonumber(ARGV[3]) then return 'behind' end
end

-- What is asked, from ARGV[4] on, each as its number of arguments, its name, and these. Answers with the position first.
local function ask(functions)
  local silent = silence()
  if silent then return silent end
  local replies, at = { stands }, 4
  while at <= #ARGV do
    local last = at + 1 + ARGV[at]
    local reply = functions[ARGV[at + 1]](unpack(ARGV, at + 2, last))
    if reply == nil then reply = false end
    replies[#replies + 1] = reply
    at = last + 1
  end
  return replies
end
