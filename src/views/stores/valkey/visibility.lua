-- What SQL statements see: as src/changes/visibility.ts has it.

-- Transaction ids go round: the one that is less than 2^31 ahead is the later one.
local function is_before(xid, other)
  return (xid - other) % 4294967296 >= 2147483648
end

-- From `xmin:xmax:running,running`.
local function snapshot_of(text)
  local xmin, xmax, list = string.match(text, '^(%d+):(%d+):(.*)$')
  local running = {}
  for xid in string.gmatch(list, '%d+') do running[tonumber(xid)] = true end
  return { xmin = tonumber(xmin), xmax = tonumber(xmax), running = running }
end

local function is_visible(xid, snapshot)
  if is_before(xid, snapshot.xmin) then return true end
  return is_before(xid, snapshot.xmax) and not snapshot.running[xid]
end
