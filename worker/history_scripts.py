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
local function known(newest)
  local found = {}
  for _, each in ipairs(newest) do
    if readable(each) then found[#found + 1] = each end
  end
  return found
end
local function read(history, founding)  -- the newest eight, or an error
  local newest = redis.pcall('LRANGE', history, 0, 7)
  if not founding then return newest end
  if newest.err then
    redis.call('DEL', history)
    return {}
  end
  return known(newest)
end
local function enters(history, newest, record, founding, quota)  -- newest: eight or more, if there are
  if founding and #newest > 0 then return false end
  if newest[1] and #newest[1] >= 22 and seconds(record) + 3600 < seconds(newest[1]) then return false end
  local last = newest[quota]
  if quota > 8 and #newest == 8 then last = redis.call('LINDEX', history, quota - 1) end
  if last and #last >= 22 and math.abs(seconds(record) - seconds(last)) < 86400 then return false end
  local numbers = typed(record)
  for n = 1, math.min(8, #newest) do
    if typed(newest[n]) == numbers then return false end
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

# KEYS mark history...; ARGV remember_seconds length expiry quota, then for each history its entries, the oldest first:
# of each "1" where it founds a history and "0" where not, and the record. -> 1 if the mark was not there yet.
ENTER_ONCE: Final = (
    _ENTER
    + """
if not redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[1]) then return 0 end
local length, quota = tonumber(ARGV[2]), tonumber(ARGV[4])
local most = math.max(8, quota)
for i = 2, #KEYS do
  local history, entries, at, entered = KEYS[i], ARGV[i + 3], 1, {}
  local newest = redis.pcall('LRANGE', history, 0, most - 1)
  while at <= #entries do
    local founding = string.byte(entries, at) == 49
    local size = string.byte(entries, at + 1) == 2 and 114 or 22
    local record = string.sub(entries, at + 1, at + size)
    at = at + 1 + size
    if newest.err and founding then
      redis.call('DEL', history)
      newest = {}
    end
    -- A key that holds something else is an error for its own entries, and none for others'.
    if not newest.err and enters(history, founding and known(newest) or newest, record, founding, quota) then
      entered[#entered + 1] = record
      table.insert(newest, 1, record)
      newest[most + 1] = nil
    end
  end
  if #entered > 0 then
    for n = 1, #entered, 4096 do  -- Lua hands over no more than some thousand arguments at once
      redis.call('LPUSH', history, unpack(entered, n, math.min(n + 4095, #entered)))
    end
    redis.call('LTRIM', history, 0, length - 1)
    redis.call('EXPIRE', history, ARGV[3])
  end
end
return 1
"""
)
