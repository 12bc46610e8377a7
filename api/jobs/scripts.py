"""What must happen whole or not at all, as Lua on the server that holds the jobs."""

from __future__ import annotations

from typing import Final

# KEYS job ledger plan keyed active owned
# ARGV job digest fragments shards pages lifetime created plans, then that many plans, then the job's fields and values
# -> "job:digest" of this job, or of the one that has the same idempotency key; nil when staged rows have expired
PUBLISH: Final = """
local earlier = redis.call('GET', KEYS[4])
if earlier then return earlier end
local job, lifetime = ARGV[1], ARGV[6]
local found = 0
for shard = 0, tonumber(ARGV[4]) - 1 do
  found = found + redis.call('HLEN', string.format('%s:data:%d', KEYS[1], shard))
end
if found ~= tonumber(ARGV[3]) then return false end
local plans = tonumber(ARGV[8])
for n = 0, plans - 1 do
  redis.call('HSET', KEYS[3], n, ARGV[9 + n])
  redis.call('HSET', KEYS[2], 's:' .. n, 'waiting')
end
for n = 9 + plans, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[n], ARGV[n + 1]) end
for shard = 0, tonumber(ARGV[4]) - 1 do
  redis.call('EXPIRE', string.format('%s:data:%d', KEYS[1], shard), lifetime)
end
for page = 0, tonumber(ARGV[5]) - 1 do
  redis.call('EXPIRE', string.format('%s:results:%d', KEYS[1], page), lifetime)
end
redis.call('SET', KEYS[4], job .. ':' .. ARGV[2], 'EX', lifetime)
for i = 1, 3 do redis.call('EXPIRE', KEYS[i], lifetime) end
redis.call('ZADD', KEYS[5], ARGV[7], job)
redis.call('ZADD', KEYS[6], ARGV[7], job)
redis.call('ZREMRANGEBYSCORE', KEYS[6], 0, tonumber(ARGV[7]) - lifetime)
redis.call('EXPIRE', KEYS[6], lifetime)
return job .. ':' .. ARGV[2]
"""

# KEYS job, then what was staged for it -> 1 if it was forgotten, 0 where the job is visible after all
DISCARD: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
for i = 2, #KEYS do redis.call('UNLINK', KEYS[i]) end
return 1
"""

# KEYS job ledger plan active owned dead callbacks; ARGV job shards pages chunks
CANCEL: Final = """
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return end
local job = ARGV[1]
for shard = 0, tonumber(ARGV[2]) - 1 do
  redis.call('UNLINK', string.format('%s:data:%d', KEYS[1], shard))
end
for page = 0, tonumber(ARGV[3]) - 1 do
  redis.call('UNLINK', string.format('%s:results:%d', KEYS[1], page))
end
for n = 0, tonumber(ARGV[4]) - 1 do
  redis.call('UNLINK', string.format('%s:entries:%d', KEYS[1], n))
  redis.call('HDEL', KEYS[6], job .. '.' .. n)
end
local keyed = redis.call('HGET', KEYS[1], 'keyed')
local first = redis.call('GET', keyed)  -- after a cancel the same content may be another job by now
if first and string.sub(first, 1, #job + 1) == job .. ':' then redis.call('UNLINK', keyed) end
redis.call('UNLINK', KEYS[2], KEYS[3])
redis.call('ZREM', KEYS[4], job)
redis.call('ZREM', KEYS[7], job)
if state == 'queued' or state == 'running' then
  redis.call('HSET', KEYS[1], 'state', 'cancelled')
  redis.call('EXPIRE', KEYS[1], redis.call('HGET', KEYS[1], 'keep_seconds'))
else
  redis.call('UNLINK', KEYS[1])
  redis.call('ZREM', KEYS[5], job)
end
"""

# KEYS job ledger plan dead active callbacks keyed; ARGV job chunk rows created shards pages lifetime
# -> 1 if the chunk may be sent
RETRY: Final = """
local chunk = ARGV[2]
if redis.call('HDEL', KEYS[4], ARGV[1] .. '.' .. chunk) == 0 then return 0 end
if redis.call('HGET', KEYS[2], 's:' .. chunk) ~= 'dead' then return 0 end
redis.call('HSET', KEYS[2], 's:' .. chunk, 'waiting', 'e:' .. chunk, 0)
redis.call('HINCRBY', KEYS[1], 'failed', -tonumber(ARGV[3]))
redis.call('HINCRBY', KEYS[1], 'open', 1)
redis.call('HSET', KEYS[1], 'state', 'running')
redis.call('HDEL', KEYS[1], 'finished')
redis.call('ZADD', KEYS[5], ARGV[4], ARGV[1])
redis.call('ZREM', KEYS[6], ARGV[1])
if redis.call('HEXISTS', KEYS[1], 'callback') == 1 then
  redis.call('HSET', KEYS[1], 'callback_state', 'waiting', 'callback_attempts', 0)
  redis.call('HDEL', KEYS[1], 'callback_error')
end
-- The job's end had begun its last day: what is tried again must not vanish while it is worked on.
for _, key in ipairs({KEYS[1], KEYS[2], KEYS[3], KEYS[7]}) do redis.call('EXPIRE', key, ARGV[7]) end
for shard = 0, tonumber(ARGV[5]) - 1 do
  redis.call('EXPIRE', string.format('%s:data:%d', KEYS[1], shard), ARGV[7])
end
for page = 0, tonumber(ARGV[6]) - 1 do
  redis.call('EXPIRE', string.format('%s:results:%d', KEYS[1], page), ARGV[7])
end
return 1
"""
