"""From a page's packed results to the lines that a client reads."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import cache
from typing import Final

from pydantic_core import from_json, to_json

from worker.contract import CHANNELS, RESULTS_PER_PAGE, ErrorCode
from worker.packed import (
    COUNT,
    DECISIONS,
    REASONS,
    RESULT,
    RESULTS_MARK,
    SHOWN,
    SOURCES,
    STEPS,
    UNSCORED,
    plain,
)

_PREFIX: Final = len(b'{"index":')
_LINE: Final = (
    '{"index":%d,"confidence_score":%d,"anomaly_score":%s,"feature_importance":{'
    + ",".join(f'"{name}":%s' for name in CHANNELS)
    + '},%s"history_used":%d,%s}'
)

Lines = list[bytes | None]


def page_of(blobs: Iterable[bytes]) -> Lines:
    """The lines of one page, `RESULTS_PER_PAGE` of them; None where a pattern has no result yet.

    Raises zlib.error, struct.error, ValueError and IndexError for what is no result.
    """
    lines: Lines = [None] * RESULTS_PER_PAGE
    for blob in blobs:
        if blob.startswith(RESULTS_MARK):
            _word(plain(RESULTS_MARK, blob), lines)
        else:
            for line in zlib.decompress(blob).split(b"\n"):
                position = int(line[_PREFIX : line.index(b",", _PREFIX)])
                lines[position % RESULTS_PER_PAGE] = line
    return lines


def _word(packed: bytes, lines: Lines) -> None:
    (length,) = COUNT.unpack_from(packed)
    head = COUNT.size + length
    batches = [
        f'"model_version":{_json(version)},"inference_time_ms":{_json(inference_ms)},'
        for version, inference_ms in from_json(packed[COUNT.size : head])
    ]
    steps = _decimals()
    for row in RESULT.iter_unpack(packed[head:]):
        position, batch, used, anomaly, a, b, c, d, e, f, confidence, shown = row
        if confidence == UNSCORED:
            line = unscored(position, "the worker could not score this pattern")
        else:
            line = (
                _LINE
                % (
                    position,
                    confidence,
                    steps[anomaly],
                    steps[a],
                    steps[b],
                    steps[c],
                    steps[d],
                    steps[e],
                    steps[f],
                    batches[batch],
                    used,
                    _shown(shown),
                )
            ).encode()
        lines[position % RESULTS_PER_PAGE] = line


def unscored(position: int, detail: str) -> bytes:
    """The line of a pattern that has no score."""
    error = {"index": position, "error_code": ErrorCode.INFERENCE_ERROR, "detail": detail}
    return to_json(error)


def _json(value: object) -> str:
    return to_json(value).decode()


@cache  # 0.7 MB, made when the first results are asked for
def _decimals() -> list[str]:
    """Each step's decimal number."""
    return [_json(step / STEPS) for step in range(STEPS + 1)]


@cache  # a few hundred different ones
def _shown(packed: bytes) -> str:
    reasons, source, decision, recorded = SHOWN.unpack(packed)
    told = [reason for n, reason in enumerate(REASONS) if reasons >> n & 1]
    shown = {
        "history_source": SOURCES[source],
        "recorded": bool(recorded),
        "decision": DECISIONS[decision],
        "reasons": told,
    }
    return _json(shown)[1:-1]
