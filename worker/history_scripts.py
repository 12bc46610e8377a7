"""How a pattern enters a history, as Lua: each script is one atomic step of the server that holds the histories."""

from __future__ import annotations

from typing import Final

# What must not enter: a pattern that would found a history where there is one, one too many of a day, and one whose
# numbers were entered a moment ago by another worker or from the same batch. A record's bytes 2-5 are its time, 6-21
# its numbers, 23 and on its statistics.
_ENTER: Final = """
local function seconds(record)
  local a, b, c, d = string.byte(record, 2, 5)
  return a + 256 * (b + 256 * (c + 256 * d))
end
local function typed(record) return string.sub(record, 6, 21) .. string.sub(record, 23) end
local function enters(history, record, founding, quota)
  if founding and redis.call('EXISTS', history) == 1 then return false end
  local last = quota > 0 and redis.call('LINDEX', history, quota - 1)
  if last and #last >= 22 and math.abs(seconds(record) - seconds(last)) < 86400 then return false end
  for _, each in ipairs(redis.call('LRANGE', history, 0, 7)) do
    if typed(each) == typed(record) then return false end
  end
  return true
end
local function push(history, record, length, expiry)
  redis.call('LPUSH', history, record)
  redis.call('LTRIM', history, 0, length - 1)
  redis.call('EXPIRE', history, expiry)
end
"""

# KEYS history [asked]; ARGV founding record length expiry quota same_question_seconds -> 1 if it entered.
# For a question of the chain `asked` keeps what it entered.
APPEND: Final = (
    _ENTER
    + """
if not enters(KEYS[1], ARGV[2], ARGV[1] == '1', tonumber(ARGV[5])) then return 0 end
if KEYS[2] and not redis.call('SET', KEYS[2], ARGV[2], 'NX', 'EX', ARGV[6]) then return 0 end
push(KEYS[1], ARGV[2], ARGV[3], ARGV[4])
return 1
"""
)

# KEYS mark history...; ARGV remember_seconds length expiry quota entry... -> 1 if the mark was not there yet.
# An entry is "1" where it founds a history and "0" where not, and the record.
ENTER_ONCE: Final = (
    _ENTER
    + """
if not redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[1]) then return 0 end
for i = 2, #KEYS do
  local founding, record = string.sub(ARGV[i + 3], 1, 1) == '1', string.sub(ARGV[i + 3], 2)
  local kind = redis.call('TYPE', KEYS[i])['ok']
  local history = kind == 'list' or kind == 'none'  -- what is neither belongs to nobody else's entries
  if history and enters(KEYS[i], record, founding, tonumber(ARGV[4])) then
    push(KEYS[i], record, ARGV[2], ARGV[3])
  end
end
return 1
"""
)
