-- Operations from ARGV[first] on, each as its number of arguments, its name, and these.
local function operate(first)
  local at = first
  while at <= #ARGV do
    local last = at + 1 + ARGV[at]
    applies[ARGV[at + 1]](unpack(ARGV, at + 2, last))
    at = last + 1
  end
  if applies.finish then applies.finish() end
end

-- An error in the middle leaves half of them done: the bucket is not read until they are done again, all of them. `torn` says of what.
local function attempt(first, torn)
  local done, problem = pcall(operate, first)
  if done then return nil end
  redis.pcall('HSET', meta, 'torn', torn or '0')
  if type(problem) == 'table' then problem = problem.err end
  return redis.error_reply('FAILED ' .. problem)
end
