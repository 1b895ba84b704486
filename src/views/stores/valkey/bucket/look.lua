-- Where a bucket stands: generation, leader; of the generation: epoch, position, torn, shape.
local bucket = redis.call('HMGET', KEYS[1], 'generation', 'leader')
local held = redis.call('HMGET', KEYS[1] .. ':' .. (bucket[1] or ''), 'epoch', 'position', 'torn', 'shape')
return { bucket[1], bucket[2], held[1], held[2], held[3], held[4] }
