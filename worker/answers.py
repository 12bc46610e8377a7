"""Words the answers: from the model's figures to the bytes that the client reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from ml.rich_evidence import MAX_HISTORY
from ml.scorer import Scores
from worker.comparison import Comparison, Row
from worker.contract import CHANNELS, Provenance, Reason
from worker.enrolment import SHORT_HISTORY, EnrolmentRule
from worker.judgement import Judgement
from worker.worded import Worded

IMPORTANCE_STEPS = 10_000  # importances are given in steps of 0.0001 that sum to 1

# A row's values go into a template that the message's rows share: 1 us a row, where a dictionary and its JSON take 3.
_SHARES: Final = b",".join(b'"%b":%%b' % name.encode() for name in CHANNELS)
_TEMPLATE: Final = (
    b'{"confidence_score":%%d,"anomaly_score":%%b,"feature_importance":{%b},"model_version":@,"inference_time_ms":%%b,'
    b'"history_used":%%d,"history_source":"%%b","recorded":%%b,"decision":"%%b","reasons":%%b}'
) % _SHARES
_TRUTH: Final = (b"false", b"true")
_ANOMALOUS: Final = Reason.ANOMALOUS.value


@lru_cache(maxsize=4)
def _template(version: str) -> bytes:
    return _TEMPLATE.replace(b"@", to_json(version).replace(b"%", b"%%"))


def _texts(numbers: Sequence[float]) -> list[bytes]:
    """Each number as JSON has it."""
    return to_json(numbers)[1:-1].split(b",") if numbers else []


_STEPS: Final = _texts([step / IMPORTANCE_STEPS for step in range(IMPORTANCE_STEPS + 1)])


def sound(scores: Scores) -> NDArray[np.bool_]:
    """Which rows (B,) can be expressed."""
    return np.asarray(np.isfinite(scores.anomaly) & np.isfinite(scores.importance).all(axis=1))


@dataclass(frozen=True)
class Settled:
    """What is known of B rows beside their figures.

    `recorded`: which of them enter a history. By place, `errors`: of those that get no answer, at least of those that
    are not `sound`; `provenance`: of the chain's questions.
    """

    recorded: Sequence[bool]
    errors: Mapping[int, str] = field(default_factory=dict)
    provenance: Mapping[int, Provenance] = field(default_factory=dict)


def word(
    rows: Sequence[Row],
    comparison: Comparison,
    scores: Scores,
    judgement: Judgement,
    rule: EnrolmentRule,
    settled: Settled,
    *,
    version: str,
    inference_ms: float,
) -> Worded:
    """One answer per row, or its error."""
    errors = settled.errors
    applied = applying(windowed(rows), comparison, judgement, scores.anomaly > rule.update_anomaly)
    told = reasons(len(rows), applied)
    texts = {found: to_json(found) for found in set(told)}
    anomaly, steps = scores.anomaly, steps_of(scores.importance)
    if errors:
        anomaly, steps = np.nan_to_num(anomaly), np.nan_to_num(steps)
    shares = [_STEPS[step] for step in steps.astype(np.int64).ravel().tolist()]
    confidence = judgement.confidence.tolist()
    anomalies = [round(each, 4) for each in anomaly.tolist()]
    columns = zip(
        confidence,
        _texts(anomalies),
        *[shares[channel::6] for channel in range(6)],
        repeat(to_json(inference_ms), len(rows)),
        np.minimum(comparison.sessions.counts, MAX_HISTORY).tolist(),
        [source.encode() for source in comparison.sources()],
        [_TRUTH[enters] for enters in settled.recorded],
        [decision.encode() for decision in judgement.decision],
        [texts[found] for found in told],
        strict=True,
    )
    template = _template(version)
    worded = [template % values for values in columns]
    anomalous = [int(_ANOMALOUS in found) for found in told]
    for i, origin in settled.provenance.items():
        worded[i] = b'%b,"provenance":%b}' % (worded[i][:-1], to_json(origin))
    for i, code in errors.items():
        worded[i], confidence[i], anomalies[i], anomalous[i] = to_json({"error": code}), 0, 0.0, 0
    return Worded(
        worded, confidence, anomalies, anomalous, inference_ms, errors, judgement.decision, told
    )


def applying(
    windowed: NDArray[np.bool_],
    comparison: Comparison,
    judgement: Judgement,
    anomalous: NDArray[np.bool_],
) -> list[tuple[Reason, NDArray[np.bool_]]]:
    """What a client should know beside the numbers, and of which rows (B,), in the order in which it is told.

    `windowed` (B,): who sent windows.
    """
    used, recorded = comparison.sessions.counts, comparison.recorded
    return [
        (Reason.NO_HISTORY, used == 0),
        (Reason.SHORT_HISTORY, (used > 0) & (used < SHORT_HISTORY)),
        (Reason.HISTORY_FROM_CALLER, (used > 0) & (recorded == 0)),
        (Reason.REPLAY_SUSPECTED, judgement.replayed),
        (Reason.IMPLAUSIBLE_TIMING, judgement.implausible),
        (Reason.UPDATE_WITHHELD, judgement.withheld),
        (Reason.ANOMALOUS, anomalous),
        (Reason.SESSION_FEATURES_EXPECTED, judgement.expected),
        # they hold too little, or no pattern of the history has any
        (Reason.SESSION_FEATURES_UNUSED, judgement.unused & windowed),
    ]


def reasons(
    rows: int, applying: Sequence[tuple[Reason, NDArray[np.bool_]]]
) -> list[tuple[str, ...]]:
    """The reasons that apply to each row, as codes of the contract."""
    found: list[tuple[str, ...]] = [()] * rows
    named, which = np.array([holds for _, holds in applying]).nonzero()
    for name, i in zip(named.tolist(), which.tolist(), strict=True):
        found[i] += (applying[name][0].value,)
    return found


def windowed(rows: Sequence[Row]) -> NDArray[np.bool_]:
    """Which rows (B,) have windows."""
    return np.array([bool(row[3]) for row in rows], dtype=np.bool_)


def steps_of(importance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row (B, 6) in whole steps (B, 6) that sum to IMPORTANCE_STEPS; NaN where it is not finite.

    Largest remainder method: the steps that rounding down left over go to the largest remainders.
    """
    scaled = importance * IMPORTANCE_STEPS  # (B, 6)
    steps = np.floor(scaled)
    left_over = IMPORTANCE_STEPS - steps.sum(axis=1, keepdims=True)  # (B, 1)
    order = (steps - scaled).argsort(axis=1, kind="stable")
    rank = order.argsort(axis=1, kind="stable")
    return np.asarray(steps + (rank < left_over))
