-- Places on boards. An entry's score is the row's, negated, so that the best is first; of equal scores the member decides: the row's
-- time and id as text that sorts in their order.

local TWO_53 = 9007199254740992

-- Microseconds as 16 digits, those before 1970 as 17 characters: '-' and what is left to 2^53.
local function time_text(time)
  if time == 'Infinity' then return '9999999999999999' end
  if time == '-Infinity' then return '-0000000000000000' end
  if string.sub(time, 1, 1) == '-' then return string.format('-%016.0f', TWO_53 + tonumber(time)) end
  return string.rep('0', 16 - #time) .. time
end

-- An id with its number of digits in front, as a letter (a is 1); one below 0 as '-' and what is left to 2^53.
local function id_text(id)
  if string.sub(id, 1, 1) == '-' then return string.format('-%016.0f', TWO_53 + tonumber(id)) end
  return string.char(96 + #id) .. id
end

-- The time at the beginning of a member, which stands in a text from `at` on, and where the member's id begins.
local function time_at(text, at)
  if string.byte(text, at) == 45 then
    local left = tonumber(string.sub(text, at + 1, at + 16))
    return left == 0 and -math.huge or left - TWO_53, at + 17
  end
  local time = tonumber(string.sub(text, at, at + 15))
  return time > TWO_53 and math.huge or time, at + 16
end

-- The id, as text, of a member that stands in a text from `at` on.
local function id_at(text, at)
  local start = string.byte(text, at) == 45 and at + 17 or at + 16
  if string.byte(text, start) ~= 45 then return string.sub(text, start + 1) end
  return string.format('%.0f', tonumber(string.sub(text, start + 1)) - TWO_53)
end

local function negated(score)
  if string.sub(score, 1, 1) == '-' then return string.sub(score, 2) end
  return '-' .. score
end

-- The score as eight bytes of which the lower sort first where the score is higher.
local function score_bytes(score)
  local a, b, c, d, e, f, g, h = string.byte(struct.pack('>d', 0 - tonumber(score)), 1, 8)
  if a < 128 then return string.char(a + 128, b, c, d, e, f, g, h) end
  return string.char(255 - a, 255 - b, 255 - c, 255 - d, 255 - e, 255 - f, 255 - g, 255 - h)
end

-- Where a row stands: its player, score and place; nil where it is on no board.
local function standing_of(id, text)
  if not text then return nil end
  local player, score, time = string.match(text, '^([^\n]*)\n([^\n]*)\n([^\n]*)')
  if player == 'null' or score == 'null' or time == 'null' then return nil end
  local member = time_text(time) .. id_text(id)
  return { player = player, score = score, time = tonumber(time), id = tonumber(id), member = member, entry = score .. ' ' .. member }
end

local function is_better(a, b)
  local mine, its = tonumber(a.score), tonumber(b.score)
  if mine ~= its then return mine > its end
  if a.time ~= b.time then return a.time < b.time end
  return a.id < b.id
end

-- A player's best as the hash `best:<window>` has it: the score and the member.
local function best_from(entry)
  local score, member = string.match(entry, '^(%S+) (.*)$')
  local time = time_at(member, 1)
  return { score = score, time = time, id = tonumber(id_at(member, 1)), member = member, entry = entry }
end

-- A row in the sorted set of all players' rows: the player, the score, the member.
local function history_of(player, score, member)
  return player .. '\n' .. score_bytes(score) .. member
end

-- Where the member begins in it.
local function member_in(player)
  return #player + 10
end
