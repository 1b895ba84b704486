local failure = attempt(8, ARGV[7] == '-' and (held[3] or '-'))
if failure then return failure end
if ARGV[7] == '1' then
  redis.call('HSET', meta, 'torn', mark(part + 1))
  return 'applied'
end
