"""Patterns and results of bulk jobs as they lie in Redis, packed by one side and read by the other.

Standard library only. Little-endian. Both are compressed with zlib at `LEVEL`.

A fragment of patterns: their number (u32), a `ROW` for each, and as JSON what only some have, `[[n, history, windows],
...]` with n the row's place in the fragment, as `worker.contract` has the two.

Results of one chunk and page: `RESULTS_MARK`, then compressed: the length of the JSON that follows (u32), a list
`[[model_version, inference_time_ms], ...]` of the batches, and a `RESULT` for each pattern. What has no mark is
compressed JSON, a line for each pattern.
"""

from __future__ import annotations

import struct
from typing import Final

from worker.contract import Decision, Reason

# zlib's fastest: level 6 takes four times as long for a sixth.
LEVEL: Final = 1
COUNT: Final = struct.Struct("<I")

# position, whether it has a DID's hash, the hash (zeros without), wpm, hold ms, transition ms, error percent, hour,
# unix seconds
ROW: Final = struct.Struct("<IB16s6d")

RESULTS_MARK: Final = b"R"
# position, batch, history used, anomaly, six importances, confidence, then what `SHOWN` unpacks. Anomaly and
# importances are in steps of 1 / STEPS.
RESULT: Final = struct.Struct("<IHHH6HB5s")
# reasons (bit n stands for REASONS[n]), and the places in SOURCES and DECISIONS; whether it is recorded
SHOWN: Final = struct.Struct("<HBBB")
STEPS: Final = 10_000
UNSCORED: Final = 255  # as confidence: there is no score
SOURCES: Final = ("none", "server", "caller")
DECISIONS: Final = (Decision.REVIEW, Decision.ACCEPT, Decision.REJECT)
REASONS: Final = (  # in the order in which they are told
    Reason.DID_ABBREVIATED,
    Reason.NO_HISTORY,
    Reason.SHORT_HISTORY,
    Reason.HISTORY_FROM_CALLER,
    Reason.REPLAY_SUSPECTED,
    Reason.IMPLAUSIBLE_TIMING,
    Reason.UPDATE_WITHHELD,
    Reason.ANOMALOUS,
    Reason.SESSION_FEATURES_EXPECTED,
    Reason.SESSION_FEATURES_UNUSED,
)
