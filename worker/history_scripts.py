"""How a pattern enters a history, as Lua: each script is one atomic step of the server that holds the histories."""

from __future__ import annotations

from typing import Final

# What must not enter: a pattern that would found a history where there is one, one that was typed before what is there
# already, one too many of a day, and one whose numbers were entered a moment ago by another worker or from the same
# batch. Times within an hour are in no order: a job's may lie so far ahead, and workers' clocks differ. A record's
# bytes 2-5 are its time, 6-21 its numbers, 23 and on its statistics.
# What `worker.records` would leave out counts as no history here, too, and a founding pattern is put before it; what is
# no list makes room for one. Else its DID could never be enrolled.
_ENTER: Final = """
local function seconds(record)
  local a, b, c, d = string.byte(record, 2, 5)
  return a + 256 * (b + 256 * (c + 256 * d))
end
local function typed(record) return string.sub(record, 6, 21) .. string.sub(record, 23) end
local function readable(record)
  local form = ({[22] = 1, [114] = 2})[#record]
  if not form or string.byte(record, 1) ~= form then return false end
  for i = 6, 18, 4 do  -- a float32 that is none has all bits of its exponent
    if string.byte(record, i + 3) % 128 == 127 and string.byte(record, i + 2) >= 128 then return false end
  end
  return true
end
local function read(history, founding)  -- the newest eight, or an error
  local newest = redis.pcall('LRANGE', history, 0, 7)
  if not founding then return newest end
  if newest.err then
    redis.call('DEL', history)
    return {}
  end
  local known = {}
  for _, each in ipairs(newest) do
    if readable(each) then known[#known + 1] = each end
  end
  return known
end
local function enters(history, newest, record, founding, quota)  -- newest: up to eight
  if founding and #newest > 0 then return false end
  if newest[1] and #newest[1] >= 22 and seconds(record) + 3600 < seconds(newest[1]) then return false end
  local last = newest[quota]
  if quota > 8 and #newest == 8 then last = redis.call('LINDEX', history, quota - 1) end
  if last and #last >= 22 and math.abs(seconds(record) - seconds(last)) < 86400 then return false end
  local numbers = typed(record)
  for _, each in ipairs(newest) do
    if typed(each) == numbers then return false end
  end
  return true
end
local function push(history, record, length, expiry)
  local now = redis.call('LPUSH', history, record)
  if now > length then redis.call('LTRIM', history, 0, length - 1) end
  redis.call('EXPIRE', history, expiry)
end
"""

# KEYS history [asked]; ARGV founding record length expiry quota same_question_seconds -> 1 if it entered.
# For a question of the chain `asked` keeps what it entered.
APPEND: Final = (
    _ENTER
    + """
local newest = read(KEYS[1], ARGV[1] == '1')
if newest.err then return newest end
if not enters(KEYS[1], newest, ARGV[2], ARGV[1] == '1', tonumber(ARGV[5])) then return 0 end
if KEYS[2] and not redis.call('SET', KEYS[2], ARGV[2], 'NX', 'EX', ARGV[6]) then return 0 end
push(KEYS[1], ARGV[2], tonumber(ARGV[3]), ARGV[4])
return 1
"""
)

# KEYS mark history...; ARGV remember_seconds length expiry quota entry... -> 1 if the mark was not there yet.
# An entry is "1" where it founds a history and "0" where not, and the record.
ENTER_ONCE: Final = (
    _ENTER
    + """
if not redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[1]) then return 0 end
local length, quota = tonumber(ARGV[2]), tonumber(ARGV[4])
for i = 2, #KEYS do
  local founding, record = string.sub(ARGV[i + 3], 1, 1) == '1', string.sub(ARGV[i + 3], 2)
  local newest = read(KEYS[i], founding)
  -- A key that holds something else is an error for its own entries, and none for others'.
  if not newest.err and enters(KEYS[i], newest, record, founding, quota) then
    push(KEYS[i], record, length, ARGV[3])
  end
end
return 1
"""
)
