"""Questions of the chain: the same one again sees the same past, and its answer says what it was made of.

Many nodes ask the same question, and may ask it again. Whatever became of the first answer, a repeated question must
not find its own pattern in the history: it would be compared with itself, and score higher each time.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

from worker.answers import Past, Row
from worker.contract import Answer, ErrorCode, Provenance, RowError
from worker.history import Pattern

_FEATURES = struct.Struct("<4f")


def question_of(row: Row) -> str:
    """The hex digits that tell a question of the chain; empty for every other row."""
    return str(row[4][0]) if len(row) > 4 else ""


def before(patterns: list[Pattern], entered: Pattern | None) -> list[Pattern]:
    """The history, newest first, as it was before the question came that has `entered` this pattern, if any."""
    places = [place for place, pattern in enumerate(patterns) if pattern == entered]
    return patterns[places[-1] + 1 :] if places else patterns


def history_digest(patterns: Sequence[tuple[float, ...]]) -> str:
    """BLAKE2b-256 in hex of a history, newest first: wpm, hold ms, transition ms, error percent as float32 LE.

    Times are left out: a score does not depend on them, and two services that recorded the same sessions agree.
    """
    packed = b"".join(_FEATURES.pack(*pattern) for pattern in patterns)
    return hashlib.blake2b(packed, digest_size=32).hexdigest()


def complete(
    rows: Sequence[Row],
    pasts: Sequence[Past],
    answers: Sequence[Answer | RowError],
    model_sha256: str,
) -> list[Answer | RowError]:
    """The answers, those to questions of the chain with their provenance.

    A question that requires more recorded patterns than there are is refused, and with that not recorded.
    """
    completed: list[Answer | RowError] = []
    for row, past, answer in zip(rows, pasts, answers, strict=True):
        if len(row) <= 4 or "error" in answer:
            completed.append(answer)
        elif past.recorded < row[4][1]:
            completed.append({"error": ErrorCode.HISTORY_REQUIRED})
        else:
            provenance = Provenance(model=model_sha256, history=history_digest(past.patterns))
            completed.append({**answer, "provenance": provenance})
    return completed
