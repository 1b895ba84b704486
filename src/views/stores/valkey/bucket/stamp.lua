redis.call('HSET', meta, 'position', ARGV[5])
if held[3] then redis.call('HDEL', meta, 'torn') end
return 'applied'
