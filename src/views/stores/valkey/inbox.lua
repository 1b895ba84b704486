-- The inbox kind. Before it: rows.lua, profiles.lua. Ids are places (20 digits), other values are as rows have them. Members of
-- sorted sets have score 0 and parts on lines of their own, so that one TRUNCATE lets go of few keys:
--   messages     hash, place -> conversation and author, a line each
--   sent         sorted set of `conversation, place`: the messages of each conversation in their order
--   sent_by      sorted set of `conversation, author, place`
--   last         hash, conversation -> row of the last message; absent where that is not known
--   memberships  hash, place -> conversation, member and read mark, a line each
--   members      sorted set of `conversation, place, member`: the memberships of each conversation
--   lists        sorted set of `member, place of the last message, conversation`: each member's conversations that have one
--   aside        set of `m` or `b` and the place of a message or membership that cannot be held as it is: while there is one,
--                the record answers

-- The texts in a sorted set that begin with these lines, as bounds; `after` is a place to begin behind.
local function bounds(prefix, after)
  return (after and '(' .. prefix .. '\n' .. after or '[' .. prefix .. '\n'), '(' .. prefix .. '\11'
end

-- The place of a conversation's last message; nil where it has none.
local function last_of(conversation)
  local from, to = bounds(conversation)
  local found = redis.call('ZREVRANGEBYLEX', key('sent'), to, from, 'LIMIT', 0, 1)
  return found[1] and string.sub(found[1], #conversation + 2)
end

-- The memberships of a conversation in the order of their places: { place, member }.
local function entries_of(conversation)
  local from, to = bounds(conversation)
  local found = redis.call('ZRANGEBYLEX', key('members'), from, to)
  local place = #conversation + 2
  for i, text in ipairs(found) do
    found[i] = { place = string.sub(text, place, place + 19), member = string.sub(text, place + 21) }
  end
  return found
end

-- Moves a conversation in its members' lists: `old` and `new` are the places of its last message, nil where there is none.
local function relist(conversation, old, new)
  if old == new or conversation == 'null' then return end
  for _, entry in ipairs(entries_of(conversation)) do
    if old then redis.call('ZREM', key('lists'), entry.member .. '\n' .. old .. '\n' .. conversation) end
    if new then redis.call('ZADD', key('lists'), 0, entry.member .. '\n' .. new .. '\n' .. conversation) end
  end
end

local function set_last(conversation, text)
  if is_whole(text) then redis.call('HSET', key('last'), conversation, text)
  else redis.call('HDEL', key('last'), conversation) end
end

-- What is known of a message: its conversation, its author, its row where it is the last one.
local function message_at(place)
  local text = redis.call('HGET', key('messages'), place)
  if not text then return nil end
  local values = lines(text)
  local message = { place = place, conversation = values[1], author = values[2] }
  message.is_last = last_of(message.conversation) == place
  message.row = message.is_last and redis.call('HGET', key('last'), message.conversation)
  return message
end

local function remove_message(message)
  local place, conversation = message.place, message.conversation
  redis.call('HDEL', key('messages'), place)
  redis.call('ZREM', key('sent'), conversation .. '\n' .. place)
  redis.call('ZREM', key('sent_by'), conversation .. '\n' .. message.author .. '\n' .. place)
  if not message.is_last then return end
  redis.call('HDEL', key('last'), conversation)
  relist(conversation, place, last_of(conversation))
end

local function add_message(place, conversation, author, text)
  local last = last_of(conversation)
  redis.call('HSET', key('messages'), place, conversation .. '\n' .. author)
  redis.call('ZADD', key('sent'), 0, conversation .. '\n' .. place)
  redis.call('ZADD', key('sent_by'), 0, conversation .. '\n' .. author .. '\n' .. place)
  if last and last > place then return end
  set_last(conversation, text)
  relist(conversation, last, place)
end

-- Asked once a call: there hardly ever is one.
local has_aside
local function unset_aside(...)
  if has_aside == nil then has_aside = redis.call('EXISTS', key('aside')) == 1 end
  if has_aside then redis.call('SREM', key('aside'), ...) end
end

local function set_aside(each)
  redis.call('SADD', key('aside'), each)
  has_aside = true
end

-- Values of a message that the log did not carry, as far as they are known.
local function completed(known, conversation, author, text)
  if conversation == '' then conversation = known.conversation end
  if author == '' then
    author = known.author
    local values = lines(text)
    values[2] = author
    text = table.concat(values, '\n')
  end
  return conversation, author, filled(text, known.row)
end

-- The message at `old` is now at `place`. `text` is its row as lists show it: its id, its author, what is kept.
function applies.message(old, place, conversation, author, text)
  local known = message_at(old) or (old ~= place and message_at(place))
  unset_aside('m' .. old, 'm' .. place)
  if known then
    conversation, author, text = completed(known, conversation, author, text)
    if known.place == place and known.conversation == conversation and known.author == author then
      if known.is_last then set_last(conversation, text) end
      return
    end
    remove_message(known)
  end
  if conversation == '' or author == '' then set_aside('m' .. place)
  else add_message(place, conversation, author, text) end
end

function applies.delete_message(place)
  local known = message_at(place)
  unset_aside('m' .. place)
  if known then remove_message(known) end
end

local function forget_aside(mark)
  for _, each in ipairs(redis.call('SMEMBERS', key('aside'))) do
    if string.sub(each, 1, 1) == mark then redis.call('SREM', key('aside'), each) end
  end
end

function applies.truncate_messages()
  redis.call('UNLINK', key('messages'), key('sent'), key('sent_by'), key('last'), key('lists'))
  forget_aside('m')
end

local function remove_membership(place, conversation, member)
  redis.call('HDEL', key('memberships'), place)
  redis.call('ZREM', key('members'), conversation .. '\n' .. place .. '\n' .. member)
  local last = last_of(conversation)
  if not last then return end
  for _, entry in ipairs(entries_of(conversation)) do
    if entry.member == member then return end -- a second row of the same member
  end
  redis.call('ZREM', key('lists'), member .. '\n' .. last .. '\n' .. conversation)
end

local function add_membership(place, conversation, member, text)
  redis.call('HSET', key('memberships'), place, text)
  redis.call('ZADD', key('members'), 0, conversation .. '\n' .. place .. '\n' .. member)
  local last = conversation ~= 'null' and last_of(conversation)
  if last then redis.call('ZADD', key('lists'), 0, member .. '\n' .. last .. '\n' .. conversation) end
end

-- The membership at `old` is now at `place`. `text` is its conversation, its member and its read mark, which is a place.
function applies.membership(old, place, text)
  local known = redis.call('HGET', key('memberships'), old)
  local known_place = known and old or place
  known = known or redis.call('HGET', key('memberships'), place)
  unset_aside('b' .. old, 'b' .. place)
  text = filled(text, known)
  local values = lines(text)
  if known then
    local was = lines(known)
    if known_place == place and was[1] == values[1] and was[2] == values[2] then
      redis.call('HSET', key('memberships'), place, text)
      return
    end
    remove_membership(known_place, was[1], was[2])
  end
  if is_whole(text) then add_membership(place, values[1], values[2], text)
  else set_aside('b' .. place) end
end

function applies.delete_membership(place)
  local known = redis.call('HGET', key('memberships'), place)
  unset_aside('b' .. place)
  if not known then return end
  local was = lines(known)
  remove_membership(place, was[1], was[2])
end

function applies.truncate_memberships()
  redis.call('UNLINK', key('memberships'), key('members'), key('lists'))
  forget_aside('b')
end

local function count(set, prefix, after)
  return redis.call('ZLEXCOUNT', key(set), bounds(prefix, after))
end

-- Messages of others after a member's read mark; those without an author are nobody's.
local function unread(conversation, member, read)
  local after = read ~= 'null' and read
  local own = member ~= 'null' and count('sent_by', conversation .. '\n' .. member, after) or 0
  return count('sent', conversation, after) - count('sent_by', conversation .. '\nnull', after) - own
end

local function is_aside()
  return redis.call('SCARD', key('aside')) > 0
end

-- The read mark of a membership.
local function mark_at(place)
  return lines(redis.call('HGET', key('memberships'), place))[3]
end

-- One conversation as `me` sees it, whose last message is at `last`: conversation, last row, unread, member and profile of each
-- other, for each of my memberships. False where something is not known.
local function add_listed(found, conversation, last, me, limit)
  local text = redis.call('HGET', key('last'), conversation)
  if not text then return false end
  local mine, others = {}, {}
  for _, entry in ipairs(entries_of(conversation)) do
    if entry.member == me then
      mine[#mine + 1] = entry
    elseif entry.member ~= 'null' then
      local profile = profile_of(entry.member)
      if not profile then return false end
      others[#others + 1] = entry.member
      others[#others + 1] = profile
    end
  end
  for i = 1, math.min(#mine, limit) do
    local read = mark_at(mine[i].place)
    local is_read = read ~= 'null' and read >= last
    found[#found + 1] = { conversation, text, is_read and 0 or unread(conversation, me, read), others }
  end
  return true
end

-- A member's conversations, those with the latest message first, of those whose last message is before the place `before`.
function reads.conversations(member, limit, before)
  limit = tonumber(limit)
  if is_aside() then return false end
  local found = {}
  local from, to = bounds(member)
  if before ~= '' then to = '(' .. member .. '\n' .. before end
  for _, listed in ipairs(redis.call('ZREVRANGEBYLEX', key('lists'), to, from, 'LIMIT', 0, limit)) do
    local last, conversation = string.sub(listed, #member + 2, #member + 21), string.sub(listed, #member + 23)
    if #found == limit then return found end
    if not add_listed(found, conversation, last, member, limit - #found) then return false end
  end
  return found
end

-- Member, read mark and profile of each membership of a conversation.
function reads.members(conversation)
  if is_aside() then return false end
  local found = {}
  for _, entry in ipairs(entries_of(conversation)) do
    if entry.member ~= 'null' then
      local profile = profile_of(entry.member)
      if not profile then return false end
      for _, each in ipairs({ entry.member, mark_at(entry.place), profile }) do found[#found + 1] = each end
    end
  end
  return found
end

function reads.profile(id)
  if is_aside() then return false end
  return profile_of(id)
end

-- For `verify`: conversation and author of messages, a line each; empty where there is none.
function reads.messages(...)
  local found = all_of(key('messages'), { ... })
  for i = 1, #found do found[i] = found[i] or '' end
  return found
end

-- The place of the last message of each conversation, empty where there is none.
function reads.last_places(...)
  local found = {}
  for i, conversation in ipairs({ ... }) do found[i] = last_of(conversation) or '' end
  return found
end

function reads.last(conversation)
  return redis.call('HGET', key('last'), conversation)
end

-- Of each membership its text, the messages not read, and whether it is listed; empty where there is none.
function reads.memberships(...)
  local found = all_of(key('memberships'), { ... })
  for i = 1, #found do
    local values = found[i] and lines(found[i])
    local last = values and last_of(values[1])
    local listed = last and redis.call('ZSCORE', key('lists'), values[2] .. '\n' .. last .. '\n' .. values[1])
    found[i] = values and { found[i], unread(unpack(values, 1, 3)), listed and 1 or 0 } or ''
  end
  return found
end

function reads.counts()
  return { redis.call('HLEN', key('messages')), redis.call('HLEN', key('memberships')) }
end

function reads.entries()
  return redis.call('HLEN', key('messages'))
end
