"""Patterns and results of bulk jobs as they lie in Redis, packed by one side and read by the other.

Standard library only. Little-endian. Both are compressed with zlib at `LEVEL`.

A fragment of patterns: `PATTERNS_MARK`, then compressed: their number (u32), a `ROW` for each, and as JSON what only
some have, `[[n, history, windows], ...]` with n the row's place in the fragment, as `worker.contract` has the two.

Results of one chunk and page: `RESULTS_MARK`, then compressed: the length of the JSON that follows (u32), a list
`[[model_version, inference_time_ms], ...]` of the batches, and a `RESULT` for each pattern. What has no mark is
compressed JSON, a line for each pattern.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

from worker.contract import Decision, Reason

# zlib's fastest: level 6 takes four times as long for a sixth.
LEVEL: Final = 1
COUNT: Final = struct.Struct("<I")

# position, whether it has a DID's hash, the hash (zeros without), wpm, hold ms, transition ms, error percent, hour,
# unix seconds
ROW: Final = struct.Struct("<IB16s6d")

# Who changes a form changes its mark: what another release left is then refused and not misread. Compressed data begins
# with an "x".
PATTERNS_MARK: Final = b"P"
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


def marked(mark: bytes, text: bytes) -> bytes:
    """The text compressed, behind its mark."""
    return mark + zlib.compress(text, LEVEL)


def plain(mark: bytes, blob: bytes) -> bytes:
    """What `marked` took. Raises ValueError for another mark, zlib.error for what is damaged."""
    if not blob.startswith(mark):
        raise ValueError(
            f"this is of another release: it begins with {blob[:1]!r} and not with {mark!r};"
            " help: let the release that stored it end its jobs, or cancel them"
        )
    return zlib.decompress(blob[len(mark) :])
