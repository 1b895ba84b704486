-- Rows as text: one line a column, an empty line where the log did not carry the value.

local function lines(text)
  local found, count = {}, 0
  for line in string.gmatch(text .. '\n', '([^\n]*)\n') do
    count = count + 1
    found[count] = line
  end
  return found
end

local function is_whole(text)
  return text ~= '' and not (string.find(text, '\n\n', 1, true) or string.find(text, '^\n') or string.find(text, '\n$'))
end

-- A row with what the log did not carry, as far as it is known.
local function filled(text, known)
  if not known or is_whole(text) then return text end
  local values, old = lines(text), lines(known)
  for i = 1, #values do
    if values[i] == '' then values[i] = old[i] end
  end
  return table.concat(values, '\n')
end

-- Calls a command with any number of arguments: Lua passes about 8,000 at once.
local function each_thousand(list, call)
  for start = 1, #list, 1000 do
    call(unpack(list, start, math.min(start + 999, #list)))
  end
end

-- Values of a hash, in the order of the fields.
local function all_of(hash, fields)
  local values, count = {}, 0
  each_thousand(fields, function(...)
    for _, value in ipairs(redis.call('HMGET', hash, ...)) do
      count = count + 1
      values[count] = value
    end
  end)
  return values
end
