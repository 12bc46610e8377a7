"""What must still be told of ended jobs: who tells it, when it is tried again, and when it is given up.

All of it lies on the server of the jobs, so that a restart forgets nothing, and one front end of several has a
callback at a time. Times are that server's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis

from api.jobs.store import told
from worker.contract import CALLBACKS, JobKeys

LEASE_SECONDS: Final = 20  # longer than a try may take
FIRST_PAUSE_SECONDS: Final = 1
LONGEST_PAUSE_SECONDS: Final = 900

_NOW: Final = """
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
"""

# KEYS callbacks; ARGV prefix and end of a job's key, lease_seconds -> {job, url, tries, finished} or nil
_TAKE: Final = (
    _NOW
    + """
while true do
  local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1)[1]
  if not due then return false end
  local job = ARGV[1] .. due .. ARGV[2]
  local url, finished = unpack(redis.call('HMGET', job, 'callback', 'finished'))
  if url and finished then
    redis.call('ZADD', KEYS[1], now + ARGV[3], due)
    local tries = redis.call('HINCRBY', job, 'callback_attempts', 1)
    return {due, url, tries, finished}
  end
  redis.call('ZREM', KEYS[1], due)  -- the job has expired, or runs again and is listed anew at its end
end
"""
)

# KEYS job callbacks; ARGV job tries error(empty: delivered) pause_seconds patience_seconds finished
# -> the callback's state, or nil where the try is no longer the last one, or was of an earlier end of the job
_SETTLE: Final = (
    _NOW
    + """
if redis.call('HGET', KEYS[1], 'callback_attempts') ~= ARGV[2] then return false end
if redis.call('HGET', KEYS[1], 'finished') ~= ARGV[6] then return false end
if redis.call('HGET', KEYS[1], 'callback_state') ~= 'pending' then return false end
local state, next = 'delivered', now + tonumber(ARGV[4])
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], 'callback_error')
else
  redis.call('HSET', KEYS[1], 'callback_error', ARGV[3])
  local ends = tonumber(redis.call('HGET', KEYS[1], 'finished')) + tonumber(ARGV[5])
  state = next > ends and 'failed' or 'pending'
end
redis.call('HSET', KEYS[1], 'callback_state', state)
if state == 'pending' then
  redis.call('ZADD', KEYS[2], next, ARGV[1])
else
  redis.call('ZREM', KEYS[2], ARGV[1])
end
return state
"""
)


@dataclass(frozen=True)
class Call:
    """A callback that this front end may make until the lease ends; `tries` counts this one."""

    job_id: str
    url: str
    tries: int
    finished: str  # Unix seconds, as the server has them

    @property
    def name(self) -> str:
        """The same for every try of one end of the job, and another after a retry of its dead chunks."""
        return f"{self.job_id}.{int(float(self.finished) * 1000)}"


class Outbox:
    """`patience_seconds` after a job's end its callback is given up. Raises QueueUnavailableError."""

    def __init__(
        self, redis: Redis, patience_seconds: float, lease_seconds: float = LEASE_SECONDS
    ) -> None:
        self._take = redis.register_script(_TAKE)
        self._settle = redis.register_script(_SETTLE)
        self._patience_seconds = patience_seconds
        self._lease_seconds = lease_seconds

    async def take(self) -> Call | None:
        """A callback that is due, for nobody else until the lease ends; None when none is due."""
        before, after = JobKeys("%").job.split("%")
        found: Any = await told(self._take([CALLBACKS], [before, after, self._lease_seconds]))
        if found is None:
            return None
        job_id, url, tries, finished = found
        return Call(job_id.decode(), url.decode(), tries, finished.decode())

    async def settle(self, call: Call, error: str) -> str | None:
        """What came of it; `error` is empty when it was delivered.

        The callback's state, None when somebody else has it by now or the job is gone.
        """
        keys = [JobKeys(call.job_id).job, CALLBACKS]
        pause = pause_seconds(call.tries)
        values: list[str | float] = [call.job_id, call.tries, error, pause, self._patience_seconds]
        values.append(call.finished)
        state: Any = await told(self._settle(keys, values))
        return None if state is None else str(state.decode())


def pause_seconds(tries: int) -> int:
    """How long to wait after so many tries: a second, then twice as long each time, a quarter of an hour at most."""
    return min(FIRST_PAUSE_SECONDS << min(tries - 1, 16), LONGEST_PAUSE_SECONDS)
