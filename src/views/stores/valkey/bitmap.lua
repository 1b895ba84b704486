-- A bitmap's cells: `codes` has a byte for each (0 is clear, otherwise the colour + 1), `bits` a bit, in rows of whole bytes,
-- `times` 64 bits, each as BITFIELD has them; `order` is a sorted set of the cells that have a row, as eight digits, by sequence number.
-- WIDTH and HEIGHT are constants.

local STRIDE = math.ceil(WIDTH / 8)

-- Gathered by `applies`, done by `applies.finish`: the cells' states to be, false for none, and which rows are set aside.
local cells, aside, any = {}, {}, false

local function member_of(cell)
  return string.format('%08d', cell)
end

local function is_cell(id)
  local cell = tonumber(id)
  return cell and cell % 1 == 0 and cell >= 0 and cell < WIDTH * HEIGHT
end

-- A cell as it is: code, sequence and time as text; nil where it has no row.
local function state_of(id)
  if not is_cell(id) then return nil end
  local state = cells[id]
  if state ~= nil then return state or nil end
  local sequence = redis.call('ZSCORE', key('order'), member_of(id))
  if not sequence then return nil end
  local code = redis.call('BITFIELD', key('codes'), 'GET', 'u8', '#' .. id)[1]
  local time = redis.call('BITFIELD', key('times'), 'GET', 'i64', '#' .. id)[1]
  return { string.format('%d', code), string.format('%.0f', tonumber(sequence)), string.format('%.0f', time) }
end

local function forget(id)
  any = true
  aside[id] = false
  if is_cell(id) then cells[id] = false end
end

-- The row that had the key `old` is now the cell `id`; empty where the log did not carry the value.
function applies.put(old, id, code, sequence, time)
  local known = (code == '' or sequence == '' or time == '') and (state_of(old) or state_of(id)) or nil
  if old ~= id then forget(old) end
  any = true
  if known then
    if code == '' then code = known[1] end
    if sequence == '' then sequence = known[2] end
    if time == '' then time = known[3] end
  end
  local whole = code ~= '' and sequence ~= '' and time ~= ''
  aside[id] = not whole
  cells[id] = whole and { code, sequence, time }
end

-- The row that had the key `old` is now one that is no cell.
function applies.set_aside(old, id)
  forget(old)
  forget(id)
  aside[id] = true
end

function applies.delete(id)
  forget(id)
end

function applies.truncate()
  cells, aside, any = {}, {}, false
  redis.call('UNLINK', key('codes'), key('bits'), key('times'), key('order'), key('aside'))
end

local function write_aside()
  local held = redis.call('EXISTS', key('aside')) == 1
  for id, is_aside in pairs(aside) do
    if is_aside then redis.call('SADD', key('aside'), id)
    elseif held then redis.call('SREM', key('aside'), id) end
  end
end

-- Adds a value to the arguments of BITFIELD. What is not there yet is 0.
local function set(list, type, at, value)
  local count = #list
  list[count + 1], list[count + 2], list[count + 3], list[count + 4] = 'SET', type, at, value
end

local function do_all(command, name, list)
  each_thousand(list, function(...) redis.call(command, key(name), ...) end)
end

function applies.finish()
  if not any then return end
  local codes, bits, times, put, gone = {}, {}, {}, {}, {}
  for id, state in pairs(cells) do
    local cell = tonumber(id)
    local code = state and state[1] or '0'
    set(codes, 'u8', '#' .. id, code)
    set(times, 'i64', '#' .. id, state and state[3] or '0')
    local x = cell % WIDTH
    set(bits, 'u1', string.format('%d', (cell - x) / WIDTH * STRIDE * 8 + x), code == '0' and '0' or '1')
    if state then
      put[#put + 1] = state[2]
      put[#put + 1] = member_of(cell)
    else
      gone[#gone + 1] = member_of(cell)
    end
  end
  write_aside()
  do_all('BITFIELD', 'codes', codes)
  do_all('BITFIELD', 'times', times)
  do_all('BITFIELD', 'bits', bits)
  do_all('ZREM', 'order', gone)
  do_all('ZADD', 'order', put)
  cells, aside, any = {}, {}, false
end
