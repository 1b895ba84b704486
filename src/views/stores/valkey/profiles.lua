-- Rows that are joined at every read: the hash `profiles`, by key.

function applies.profile(old, id, text)
  local known = redis.call('HGET', key('profiles'), old) or redis.call('HGET', key('profiles'), id)
  if old ~= id then redis.call('HDEL', key('profiles'), old) end
  redis.call('HSET', key('profiles'), id, filled(text, known))
end

function applies.delete_profile(id)
  redis.call('HDEL', key('profiles'), id)
end

function applies.truncate_profiles()
  redis.call('UNLINK', key('profiles'))
end

-- The row as text, empty where there is none; false where it is not known whole.
local function profile_of(id)
  local text = redis.call('HGET', key('profiles'), id)
  if not text then return '' end
  return is_whole(text) and text
end

function reads.profiles(...)
  local found = {}
  for i, id in ipairs({ ... }) do
    found[i] = redis.call('HGET', key('profiles'), id) or ''
  end
  return found
end

function reads.profile_count()
  return redis.call('HLEN', key('profiles'))
end
