-- Whether questions about a window can be answered here: no row is set aside, and the window was not let go of.
local function holds(series, number)
  if redis.call('EXISTS', key('aside')) == 1 then return false end
  return series == '' or tonumber(number) >= floor_of(series)
end

-- Their ids, and the rows as text.
local function rows_of(members)
  local ids = {}
  for i, member in ipairs(members) do ids[i] = id_at(member, 1) end
  return { ids, all_of(key('rows'), ids) }
end

local function entries_of(board, offset, count)
  if count <= 0 then return { {}, {} } end
  return rows_of(redis.call('ZRANGE', board, string.format('%.0f', offset), string.format('%.0f', offset + count - 1)))
end

-- Rows with a value for each column that the view has, also those on no board.
function reads.entries()
  return redis.call('HLEN', key('rows'))
end

function reads.count(series, number, board)
  return holds(series, number) and redis.call('ZCARD', key(board))
end

function reads.range(series, number, board, offset, limit)
  return holds(series, number) and entries_of(key(board), tonumber(offset), tonumber(limit))
end

-- Around a member of a board: how many entries come before, how many there are, and the entries themselves. Empty where it is not on it.
local function standing(board, member, around)
  local before = member and redis.call('ZRANK', board, member)
  if not before then return {} end
  local offset = math.max(0, before - around)
  local entries = entries_of(board, offset, before + around + 1 - offset)
  return { before, redis.call('ZCARD', board), entries[1], entries[2] }
end

function reads.game(series, number, window, around, id)
  if not holds(series, number) then return false end
  local row = standing_of(id, redis.call('HGET', key('rows'), id))
  return standing(key('games:' .. window), row and row.member, tonumber(around))
end

-- Of a player by any of the names given.
function reads.player(series, number, window, around, ...)
  if not holds(series, number) then return false end
  for _, player in ipairs({ ... }) do
    local entry = redis.call('HGET', key('best:' .. window), player)
    if entry then return standing(key('players:' .. window), best_from(entry).member, tonumber(around)) end
  end
  return {}
end

function reads.history(limit, ...)
  if redis.call('EXISTS', key('aside')) == 1 then return false end
  for _, player in ipairs({ ... }) do
    local found = redis.call('ZRANGEBYLEX', key('histories'), '[' .. player .. '\n', '(' .. player .. '\v', 'LIMIT', 0, limit)
    if #found > 0 then
      for i, history in ipairs(found) do found[i] = string.sub(history, member_in(player)) end
      return rows_of(found)
    end
  end
  return { {}, {} }
end

-- For audits: rows by id, empty where there is none, or where it is missing from its player's history.
function reads.rows(...)
  local found = {}
  for i, id in ipairs({ ... }) do
    local text = redis.call('HGET', key('rows'), id) or ''
    local row = standing_of(id, text ~= '' and text)
    local lost = row and not redis.call('ZSCORE', key('histories'), history_of(row.player, row.score, row.member))
    found[i] = lost and '' or text
  end
  return found
end

-- For audits: how many rows are on the boards at all, and the ids of those set aside.
function reads.sizes()
  return { redis.call('ZCARD', key('histories')), redis.call('HKEYS', key('aside')) }
end

-- How many rows are set aside, and one of them with the reason; false where there is none.
function reads.unheld()
  local count, cursor, found = redis.call('HLEN', key('aside')), '0', {}
  if count == 0 then return false end
  repeat
    cursor, found = unpack(redis.call('HSCAN', key('aside'), cursor, 'COUNT', 1))
  until found[1] or cursor == '0'
  return { count, found[1], found[2] }
end
