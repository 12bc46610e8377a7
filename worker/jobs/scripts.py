"""The ledger's steps as Lua: each is one atomic step of the server that holds the jobs.

A chunk is `waiting`, `claimed`, `done` or `dead`. A claim gives it a fence that grows with every claim; what a worker
writes later counts only while the chunk is still claimed under that fence. So a worker that was stopped beyond its
lease and goes on writes nothing. Times are the server's own, in seconds.
"""

from __future__ import annotations

from typing import Final

_NOW: Final = """
local function now()
  local t = redis.call('TIME')
  return tonumber(t[1]) + tonumber(t[2]) / 1000000
end
"""
_HELD: Final = """
local function held(ledger, chunk, fence)
  return redis.call('HGET', ledger, 's:' .. chunk) == 'claimed'
    and redis.call('HGET', ledger, 'f:' .. chunk) == fence
end
"""

# KEYS job ledger plan; ARGV chunk lease_seconds most_failures -> {fence, stored, plan} or nil
CLAIM: Final = (
    _NOW
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'running' then return false end
local chunk = ARGV[1]
if redis.call('HGET', KEYS[2], 's:' .. chunk) ~= 'waiting' then return false end
local failures = tonumber(redis.call('HGET', KEYS[2], 'e:' .. chunk) or '0')
local stored = redis.call('HEXISTS', KEYS[2], 'r:' .. chunk)
if failures >= tonumber(ARGV[3]) and stored == 0 then return false end
local plan = redis.call('HGET', KEYS[3], chunk)
local after = cjson.decode(plan)['after']
if type(after) == 'number' then
  local before = redis.call('HGET', KEYS[2], string.format('s:%d', after))
  if before ~= 'done' and before ~= 'dead' then return false end
end
local fence = redis.call('HINCRBY', KEYS[2], 'f:' .. chunk, 1)
redis.call('HSET', KEYS[2], 's:' .. chunk, 'claimed', 'l:' .. chunk, now() + tonumber(ARGV[2]))
redis.call('HDEL', KEYS[2], 'w:' .. chunk)
if state == 'queued' then redis.call('HSET', KEYS[1], 'state', 'running', 'started', now()) end
return {tostring(fence), stored, plan}
"""
)

# KEYS ledger; ARGV chunk fence lease_seconds -> 1 while the claim stands
RENEW: Final = (
    _NOW
    + _HELD
    + """
if not held(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'l:' .. ARGV[1], now() + tonumber(ARGV[3]))
return 1
"""
)

# KEYS ledger entries page...; ARGV chunk fence field lifetime entries blob... -> 1 if stored
STORE: Final = (
    _HELD
    + """
if not held(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
redis.call('SET', KEYS[2], ARGV[5], 'EX', ARGV[4])
for i = 3, #KEYS do
  redis.call('HSET', KEYS[i], ARGV[3], ARGV[i + 3])
  redis.call('EXPIRE', KEYS[i], ARGV[4])
end
redis.call('HSET', KEYS[1], 'r:' .. ARGV[1], 1)
return 1
"""
)

# KEYS job ledger plan entries active dead callbacks page...
# ARGV chunk fence scored failed job pages shards outcome(done|dead) note blob... -> next chunk, -1 for none, or nil.
# With an empty fence the sweep buries a waiting chunk, whose pages tell why.
CLOSE: Final = (
    _NOW
    + _HELD
    + """
local chunk, job = ARGV[1], ARGV[5]
if ARGV[2] == '' then
  if redis.call('HGET', KEYS[2], 's:' .. chunk) ~= 'waiting' then return false end
elseif not held(KEYS[2], chunk, ARGV[2]) then
  return false
end
redis.call('HSET', KEYS[2], 's:' .. chunk, ARGV[8])
redis.call('HDEL', KEYS[2], 'l:' .. chunk)
redis.call('HINCRBY', KEYS[1], 'done', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'failed', ARGV[4])
local plan = cjson.decode(redis.call('HGET', KEYS[3], chunk))
if ARGV[8] == 'dead' then
  redis.call('HSET', KEYS[6], job .. '.' .. chunk, ARGV[9])
  local lifetime = redis.call('TTL', KEYS[1])
  for i = 8, #KEYS do
    redis.call('HSET', KEYS[i], chunk, ARGV[i + 2])
    redis.call('EXPIRE', KEYS[i], lifetime)
  end
else
  redis.call('DEL', KEYS[4])
  for _, part in ipairs(plan['parts']) do
    for n = part[2], part[3] do
      redis.call('HDEL', string.format('%s:data:%d', KEYS[1], part[1]), string.format('%d', n))
    end
  end
end
local following = plan['next']
if type(following) ~= 'number' then following = -1 end
if redis.call('HINCRBY', KEYS[1], 'open', -1) > 0 then return following end
local any = tonumber(redis.call('HGET', KEYS[1], 'done')) > 0
redis.call('HSET', KEYS[1], 'state', any and 'done' or 'failed', 'finished', now())
redis.call('ZREM', KEYS[5], job)
local keep = redis.call('HGET', KEYS[1], 'keep_seconds')
for i = 1, 3 do redis.call('EXPIRE', KEYS[i], keep) end
for page = 0, tonumber(ARGV[6]) - 1 do
  redis.call('EXPIRE', string.format('%s:results:%d', KEYS[1], page), keep)
end
for shard = 0, tonumber(ARGV[7]) - 1 do
  redis.call('EXPIRE', string.format('%s:data:%d', KEYS[1], shard), keep)
end
redis.call('EXPIRE', redis.call('HGET', KEYS[1], 'keyed'), keep)
if redis.call('HEXISTS', KEYS[1], 'callback') == 1 then
  redis.call('HSET', KEYS[1], 'callback_state', 'pending')
  redis.call('ZADD', KEYS[7], now(), job)
end
return following
"""
)

# KEYS ledger; ARGV chunk... : the sweep has seen, or sent, these; those that wait, wait from now on.
SEEN: Final = (
    _NOW
    + """
for _, chunk in ipairs(ARGV) do
  if redis.call('HGET', KEYS[1], 's:' .. chunk) == 'waiting' then
    redis.call('HSET', KEYS[1], 'w:' .. chunk, now())
  end
end
"""
)

# KEYS ledger; ARGV chunk fence counts(0|1) -> failures so far, or -1 when the claim no longer stands.
# With an empty fence the sweep frees a claim whose lease is over.
RELEASE: Final = (
    _NOW
    + _HELD
    + """
local chunk = ARGV[1]
if ARGV[2] == '' then
  if redis.call('HGET', KEYS[1], 's:' .. chunk) ~= 'claimed' then return -1 end
  if tonumber(redis.call('HGET', KEYS[1], 'l:' .. chunk)) > now() then return -1 end
elseif not held(KEYS[1], chunk, ARGV[2]) then
  return -1
end
redis.call('HSET', KEYS[1], 's:' .. chunk, 'waiting')
redis.call('HDEL', KEYS[1], 'l:' .. chunk)
return redis.call('HINCRBY', KEYS[1], 'e:' .. chunk, ARGV[3])
"""
)
