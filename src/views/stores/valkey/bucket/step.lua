-- One step of a bucket's generation: from one position to the next, or a part of that.
-- ARGV: generation, leader's epoch, record's epoch, previous, next, part (from 0), whether more parts follow (1) or it is no
-- transaction's (-: a part of one that is there stays a part), operations.
local refused = refusal(ARGV[2])
if refused then return refused end
local held = redis.call('HMGET', meta, 'epoch', 'position', 'torn')
if held[1] ~= ARGV[3] or not held[2] then return 'absent generation' end
local stored, part = tonumber(held[2]), tonumber(ARGV[6])
if stored >= tonumber(ARGV[5]) then return 'skipped' end
-- How far a step in parts is, and by whom: another leader begins it anew.
local function mark(parts)
  return ARGV[2] .. ':' .. parts
end
if ARGV[7] == '1' and held[3] == mark(part + 1) then return 'skipped' end
if stored ~= tonumber(ARGV[4]) or (part > 0 and held[3] ~= mark(part)) then
  return 'gap at ' .. held[2] .. ', part ' .. (held[3] or 'none')
end
