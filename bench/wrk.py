"""wrk (github.com/wg/wrk) as the closed loop, where it is installed: its cost per request is a fraction of Python's."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from bench.load import Load, Target

SCRIPT: Final = """
local bodies, n = {}, 0
function init(arguments)
  wrk.headers["Content-Type"] = "application/json"
  for line in io.lines(arguments[1]) do
    bodies[#bodies + 1] = wrk.format("POST", nil, nil, line)
  end
end
function request()
  n = n % #bodies + 1
  return bodies[n]
end
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("figures %d %d %d %d %d %d %d\\n", summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
"""
ANY_REFUSAL: Final = 503  # wrk counts the statuses from 400 on together


def installed() -> str | None:
    """The program, or None."""
    return shutil.which("wrk")


def run(target: Target, connections: int, seconds: float) -> Load:
    """The load of `connections` from one thread. Raises OSError when wrk fails."""
    with tempfile.TemporaryDirectory() as directory:
        script, bodies = Path(directory, "requests.lua"), Path(directory, "bodies")
        script.write_text(SCRIPT)
        bodies.write_bytes(b"\n".join(target.bodies) + b"\n")
        url = f"http://127.0.0.1:{target.port}{target.path}"
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency"]
        done = subprocess.run(  # noqa: S603  # our own command
            [*command, "--timeout", "10s", "-s", str(script), url, "--", str(bodies)],
            capture_output=True,
            text=True,
            timeout=seconds + 30,
            check=False,
        )
    return read(done.stdout + done.stderr)


def read(output: str) -> Load:
    """The figures in what wrk printed. Raises OSError with its words when there are none."""
    for line in output.splitlines():
        if line.startswith("figures "):
            asked, microseconds, refused, broken, p50, p99, most = map(int, line.split()[1:])
            counts = {ANY_REFUSAL: refused, 0: broken}
            found = {status: count for status, count in counts.items() if count}
            took = microseconds / 1e6
            return Load(took, asked - refused, p50 / 1000, p99 / 1000, most / 1000, found)
    raise OSError(f"wrk: {output.strip()[-300:]}")
