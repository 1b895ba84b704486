redis.call('HSET', meta, 'position', ARGV[5])
if held[3] and (ARGV[7] ~= '-' or (held[3] == '-' and ARGV[8])) then redis.call('HDEL', meta, 'torn') end
return 'applied'
