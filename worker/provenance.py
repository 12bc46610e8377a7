"""Questions of the chain: the same one again sees the same past, and its answer says what it was made of.

Many nodes ask the same question, and may ask it again. Whatever became of the first answer, a repeated question must
not find its own pattern in the history: it would be compared with itself, and score higher each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from worker.comparison import Comparison, Row
from worker.contract import ErrorCode, Provenance
from worker.records import RICH, RICH_FORMAT, Records

_RICH_PERSON = b"rich history"
_COVERED = np.dtype([(name, RICH[name]) for name in ("format", "features", "extra")])


def question_of(row: Row) -> str:
    """The hex digits that tell a question of the chain; empty for every other row."""
    return str(row[4][0]) if len(row) > 4 else ""


def before(records: list[bytes], entered: bytes | None) -> list[bytes]:
    """The history, newest first, as it was before the question came that has `entered` this record, if any."""
    places = [place for place, record in enumerate(records) if record == entered]
    return records[places[-1] + 1 :] if places else records


def history_digest(records: Records) -> str:
    """BLAKE2b-256 in hex of a history (K,), newest first: wpm, hold ms, transition ms, error percent as float32 LE.

    Where a pattern is rich, the digest is personalised with "rich history", and taken of each pattern's format byte,
    its four numbers, and the 92 bytes of its statistics, zeros where it has none.
    Times are left out: a score for a chain does not depend on them, and two services that recorded the same sessions
    agree.
    """
    if not (records["format"] == RICH_FORMAT).any():
        return hashlib.blake2b(records["features"].tobytes(), digest_size=32).hexdigest()
    covered = np.zeros(len(records), _COVERED)
    for name in _COVERED.names or ():
        covered[name] = records[name]
    packed = covered.tobytes()
    return hashlib.blake2b(packed, digest_size=32, person=_RICH_PERSON).hexdigest()


def lacking(rows: Sequence[Row], comparison: Comparison) -> dict[int, str]:
    """The places of questions that require more recorded patterns than there are, and the code to answer them with."""
    return {
        i: ErrorCode.HISTORY_REQUIRED
        for i, row in enumerate(rows)
        if len(row) > 4 and comparison.recorded[i] < row[4][1]
    }


def provenance(
    rows: Sequence[Row], records: Records, comparison: Comparison, model_sha256: str
) -> dict[int, Provenance]:
    """What the scores of questions were made of, by place; `records` (B, K) as they were compared."""
    found = {}
    for i, row in enumerate(rows):
        if len(row) > 4:
            digest = history_digest(records[i, : int(comparison.recorded[i])])
            found[i] = Provenance(model=model_sha256, history=digest)
    return found
