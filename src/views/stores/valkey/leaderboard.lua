-- Boards as sorted sets, kept with the rows they are of and with each player's rows, best first.

-- Gathered by `applies`, done by `applies.finish`: all rows of a call go into each board together.
local gathered = {}

function applies.put(old, id, text)
  gathered[#gathered + 1] = { old, id, text }
end

-- The row that had the id `old` is now one that boards cannot hold.
function applies.set_aside(old, id, reason)
  gathered[#gathered + 1] = { old, id, false, reason }
end

function applies.delete(id)
  gathered[#gathered + 1] = { id }
end

-- Windows let go of before stay let go of: `floors` remains.
function applies.truncate()
  gathered = {}
  local gone = { key('rows'), key('aside'), key('histories') }
  local function drop(window)
    for _, part in ipairs({ 'games:', 'players:', 'best:' }) do gone[#gone + 1] = key(part .. window) end
  end
  drop('overall')
  for _, series in ipairs({ 'monthly', 'daily' }) do
    for _, window in ipairs(redis.call('ZRANGE', key('windows:' .. series), 0, -1)) do drop(window) end
    gone[#gone + 1] = key('windows:' .. series)
  end
  each_thousand(gone, function(...) redis.call('UNLINK', ...) end)
end

-- Lets go of the windows of a series before the one with this number. The floor only rises, whatever the clock does.
function applies.expire(series, number)
  local floor = redis.call('HGET', key('floors'), series)
  if floor and tonumber(floor) >= tonumber(number) then return end
  redis.call('HSET', key('floors'), series, number)
  local known = key('windows:' .. series)
  for _, window in ipairs(redis.call('ZRANGEBYSCORE', known, '-inf', '(' .. number)) do
    redis.call('UNLINK', key('games:' .. window), key('players:' .. window), key('best:' .. window))
  end
  redis.call('ZREMRANGEBYSCORE', known, '-inf', '(' .. number)
end

-- The rows of all operations gathered, as they were and as they are to be (false: none), and why ids are set aside (false: they are not).
local function net_changes()
  local ids, seen = {}, {}
  for _, operation in ipairs(gathered) do
    for i = 1, 2 do
      local id = operation[i]
      if id and not seen[id] then
        seen[id] = true
        ids[#ids + 1] = id
      end
    end
  end
  local was, is, aside = {}, {}, {}
  for i, text in ipairs(all_of(key('rows'), ids)) do
    was[ids[i]] = text
    is[ids[i]] = text
  end
  for _, operation in ipairs(gathered) do
    local old, id, text, reason = operation[1], operation[2], operation[3], operation[4]
    -- A change of key that comes a second time finds its row under the new one.
    text = text and filled(text, is[old] or is[id])
    is[old], aside[old] = false, false
    if id then
      local fits = text and is_whole(text)
      is[id], aside[id] = fits and text or false, not fits and (reason or INCOMPLETE)
    end
  end
  return ids, was, is, aside
end

-- Lists of arguments by the key they are for, and how to add to them.
local function lists()
  local by_name = {}
  return by_name, function(name, a, b)
    local list = by_name[name]
    if not list then
      list = {}
      by_name[name] = list
    end
    list[#list + 1] = a
    if b then list[#list + 1] = b end
  end
end

local function do_all(command, by_name)
  for name, list in pairs(by_name) do
    each_thousand(list, function(...) redis.call(command, key(name), ...) end)
  end
end

local function set_aside(ids, aside)
  local any = redis.call('EXISTS', key('aside')) == 1
  for _, id in ipairs(ids) do
    if aside[id] then redis.call('HSET', key('aside'), id, aside[id])
    elseif any then redis.call('HDEL', key('aside'), id) end
  end
end

local function write_rows(ids, was, is)
  local gone, remove = lists()
  local put, add = lists()
  for _, id in ipairs(ids) do
    if is[id] and is[id] ~= was[id] then add('rows', id, is[id])
    elseif was[id] and not is[id] then remove('rows', id) end
  end
  do_all('HDEL', gone)
  do_all('HSET', put)
end

-- Takes rows from the boards of games and from the histories, and puts them there. Gives, by window and player, what that may
-- mean for the player's best row: which entries went, and the best one that came.
local function write_games(ids, was, is, windows_of)
  local gone, remove = lists()
  local put, add = lists()
  local series, note = lists()
  local touched = {}
  local function touch(window, player)
    local players = touched[window.name] or {}
    if not touched[window.name] and window.series then note('windows:' .. window.series, window.number, window.name) end
    touched[window.name] = players
    players[player] = players[player] or { gone = {} }
    return players[player]
  end
  local function leave(from, stays)
    remove('histories', history_of(from.player, from.score, from.member))
    for _, window in ipairs(windows_of(from.time)) do
      if not stays then remove('games:' .. window.name, from.member) end
      touch(window, from.player).gone[from.entry] = true
    end
  end
  local function enter(to)
    add('histories', '0', history_of(to.player, to.score, to.member))
    for _, window in ipairs(windows_of(to.time)) do
      add('games:' .. window.name, negated(to.score), to.member)
      local change = touch(window, to.player)
      if not change.came or is_better(to, change.came) then change.came = to end
    end
  end
  for _, id in ipairs(ids) do
    local from, to = standing_of(id, was[id]), standing_of(id, is[id])
    if not (from and to and from.entry == to.entry and from.player == to.player) then
      if from then leave(from, to and to.member == from.member) end
      if to then enter(to) end
    end
  end
  do_all('ZREM', gone)
  do_all('ZADD', put)
  do_all('ZADD', series)
  return touched
end

-- A function that gives the first row of a player's history after one that was the best, of those that a window holds; nil
-- where there is none. Of one row's windows the history is read once.
local function next_bests(windows_of)
  local walks = {}
  local function more(walk)
    local found = redis.call('ZRANGEBYLEX', key('histories'), walk.from, walk.to, 'LIMIT', 0, walk.count)
    for _, history in ipairs(found) do walk[#walk + 1] = history end
    walk.ended = #found < walk.count
    walk.from, walk.count = '(' .. (found[#found] or ''), math.min(walk.count * 4, 1000)
  end
  return function(player, lost, window)
    local start = history_of(player, lost.score, lost.member)
    local walk = walks[start] or { from = '(' .. start, to = '(' .. player .. '\v', count = 16 }
    walks[start] = walk
    local at, i = member_in(player), 1
    while true do
      if i > #walk and not walk.ended then more(walk) end
      local history = walk[i]
      if not history then return nil end
      if windows_of(time_at(history, at)).names[window] then
        local id = id_at(history, at)
        return standing_of(id, redis.call('HGET', key('rows'), id))
      end
      i = i + 1
    end
  end
end

-- Brings the players' best rows in one window up to date, and the board of them.
local function rank_players(window, touched, next_best)
  local board, bests, players = 'players:' .. window, 'best:' .. window, {}
  for player in pairs(touched) do players[#players + 1] = player end
  local gone, remove = lists()
  local put, add = lists()
  local forgotten, forget = lists()
  local known, keep = lists()
  for i, entry in ipairs(all_of(key(bests), players)) do
    local player = players[i]
    local former, change = entry and best_from(entry), touched[player]
    local best = former
    if former and change.gone[entry] then best = next_best(player, former, window) end
    if change.came and not (best and is_better(best, change.came)) then best = change.came end
    if former and not (best and best.member == former.member) then remove(board, former.member) end
    if best and best.entry ~= entry then
      add(board, negated(best.score), best.member)
      keep(bests, player, best.entry)
    elseif former and not best then
      forget(bests, player)
    end
  end
  do_all('ZREM', gone)
  do_all('ZADD', put)
  do_all('HDEL', forgotten)
  do_all('HSET', known)
end

function applies.finish()
  if #gathered == 0 then return end
  local ids, was, is, aside = net_changes()
  gathered = {}
  set_aside(ids, aside)
  write_rows(ids, was, is)
  local windows_of = calendar()
  local next_best = next_bests(windows_of)
  for window, touched in pairs(write_games(ids, was, is, windows_of)) do rank_players(window, touched, next_best) end
end
