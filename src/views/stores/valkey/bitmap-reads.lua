-- Questions about a bitmap. Sequence numbers and times are answered as text, cells as bytes. False: the record answers.

-- Cells that are looked at for a time, at most.
local MAX_LOOKED_AT = 10000

local function is_held()
  return redis.call('EXISTS', key('aside')) == 0
end

-- The sequence number of the newest change, and its cell.
local function newest()
  local found = redis.call('ZRANGE', key('order'), 0, 0, 'REV', 'WITHSCORES')
  return found[2] or '0', found[1]
end

-- A part of a string, with zeros where it was not written yet.
local function bytes_of(name, start, length)
  local found = redis.call('GETRANGE', key(name), start, start + length - 1)
  return found .. string.rep('\0', length - #found)
end

local function times_of(members)
  local gets = {}
  for _, member in ipairs(members) do
    gets[#gets + 1] = 'GET'
    gets[#gets + 1] = 'i64'
    gets[#gets + 1] = '#' .. tonumber(member)
  end
  return redis.call('BITFIELD', key('times'), unpack(gets))
end

-- The codes of cells: one by one where they are few, otherwise out of all.
local function codes_of(members)
  local codes, all = {}, #members * 500 > WIDTH * HEIGHT and bytes_of('codes', 0, WIDTH * HEIGHT)
  for start = 1, #members, 1000 do
    local last = math.min(start + 999, #members)
    local part = {}
    for i = start, last do
      if all then
        part[#part + 1] = string.byte(all, members[i] + 1)
      else
        part[#part + 1] = 'GET'
        part[#part + 1] = 'u8'
        part[#part + 1] = '#' .. tonumber(members[i])
      end
    end
    codes[#codes + 1] = string.char(unpack(all and part or redis.call('BITFIELD', key('codes'), unpack(part))))
  end
  return table.concat(codes)
end

-- Rows, also those that are no cells.
function reads.entries()
  return redis.call('ZCARD', key('order')) + redis.call('SCARD', key('aside'))
end

function reads.region(x, y, width, height)
  if not is_held() then return false end
  width, height = tonumber(width), tonumber(height)
  local start = y * WIDTH + x
  if width == WIDTH then return { bytes_of('codes', start, width * height), (newest()) } end
  local rows = {}
  for row = 0, height - 1 do rows[row + 1] = bytes_of('codes', start + row * WIDTH, width) end
  return { table.concat(rows), (newest()) }
end

function reads.bits()
  if not is_held() then return false end
  local sequence, cell = newest()
  local time = cell and times_of({ cell })[1] or 0
  return { bytes_of('bits', 0, STRIDE * HEIGHT), sequence, string.format('%.0f', time) }
end

function reads.drawn()
  return is_held() and redis.call('BITCOUNT', key('bits'))
end

-- The cells changed after a sequence number, up to the limit, their codes, the sequence number of the last one, and whether it is the last of all.
function reads.changes(after, limit)
  if not is_held() then return false end
  limit = tonumber(limit)
  local found = redis.call('ZRANGE', key('order'), '(' .. after, '+inf', 'BYSCORE', 'LIMIT', 0, limit + 1)
  local complete = #found <= limit
  if not complete then found[#found] = nil end
  local last = found[#found] and redis.call('ZSCORE', key('order'), found[#found]) or after
  return { found, codes_of(found), last, complete and 1 or 0 }
end

-- The highest sequence number among the cells that last changed at this time or before: from the newest cell down, since times
-- mostly ascend with the numbers.
function reads.sequence(at)
  if not is_held() then return false end
  at = tonumber(at)
  local count = 16
  local start = 0
  while start < MAX_LOOKED_AT do
    local found = redis.call('ZRANGE', key('order'), start, start + count - 1, 'REV')
    if #found == 0 then return '0' end
    for i, time in ipairs(times_of(found)) do
      if time <= at then return redis.call('ZSCORE', key('order'), found[i]) end
    end
    start, count = start + count, math.min(count * 4, 1000)
  end
  return false
end

-- For audits: codes, times and sequence numbers of cells one after the other; 0 where there is no row.
function reads.cells(start, count)
  count = tonumber(count)
  local members = {}
  for i = 1, count do members[i] = member_of(start + i - 1) end
  local sequences = redis.call('ZMSCORE', key('order'), unpack(members))
  for i, sequence in ipairs(sequences) do sequences[i] = sequence or '0' end
  return { bytes_of('codes', start, count), bytes_of('times', start * 8, count * 8), sequences }
end

-- For audits: the rows that are no cells.
function reads.aside()
  return redis.call('SMEMBERS', key('aside'))
end
