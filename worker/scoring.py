"""What a scoring message is answered with: the core of the scoring task, without queue and without web."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import structlog

from ml.sessions import Sessions
from worker.answers import Past, Row, error_rows, word
from worker.contract import MAX_ROWS_PER_MESSAGE, WIRE_VERSION, Answer, ErrorCode, RowError
from worker.enrolment import EnrolmentRule
from worker.held_model import HeldModel
from worker.history import SPARE, Entry, History, HistoryUnavailableError, Pattern
from worker.outcome import Outcome
from worker.provenance import before, complete, question_of


class ScoringCore:
    """Reads the histories of a message's DIDs in one round trip, scores all rows in one batch, words the answers."""

    def __init__(
        self,
        model: Callable[[], HeldModel],
        history: History,
        rule: EnrolmentRule,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._model = model
        self._history = history
        self._rule = rule
        self._clock = clock

    def answer(self, message: dict[str, Any]) -> Outcome:
        """One answer or error per row, in order.

        A message of another version or past its deadline is not computed. Raises KeyError, TypeError or ValueError
        for what is no message at all.
        """
        received = self._clock()
        rows: list[Row] = message["rows"]
        if len(rows) > MAX_ROWS_PER_MESSAGE:
            raise ValueError(f"a message has at most {MAX_ROWS_PER_MESSAGE} rows (got {len(rows)})")
        entries: list[Entry] = []
        inference_ms = 0.0
        answers: Sequence[Answer | RowError]
        if message["v"] != WIRE_VERSION:
            answers = error_rows(rows, ErrorCode.UNSUPPORTED_MESSAGE)
        elif received > message["deadline"]:
            answers = error_rows(rows, ErrorCode.DEADLINE_EXCEEDED)
        else:
            try:
                pasts = self._pasts(rows)
            except HistoryUnavailableError as error:
                structlog.get_logger().error("history_unavailable", error=repr(error.__cause__))
                answers = error_rows(rows, ErrorCode.HISTORY_UNAVAILABLE)
            else:
                answers, inference_ms = self._score(rows, pasts)
                entries = _entries(rows, pasts, answers, int(received))
        reply = {
            "v": WIRE_VERSION,
            "queue_seconds": max(0.0, received - message["sent"]),
            "rows": answers,
        }
        return Outcome(reply, entries, inference_ms)

    def _pasts(self, rows: Sequence[Row]) -> list[Past]:
        """Each row's history: what the server recorded outranks what the caller brought.

        A question of the chain that comes again sees what was recorded before it first came.
        """
        named = list(dict.fromkeys(row[0] for row in rows if row[0] is not None))
        questions = list(dict.fromkeys((row[0], question_of(row)) for row in rows if row[4:]))
        entered = dict(zip(questions, self._history.entered(questions), strict=True))
        spare = SPARE if questions else 0
        recorded = dict(zip(named, self._history.read(named, spare=spare), strict=True))
        found = []
        for row in rows:
            brought = row[2]
            own = before(recorded.get(row[0], []), entered.get((row[0], question_of(row))))
            own = own[: self._history.length]
            if own:
                found.append(Past([pattern.features for pattern in own], "server"))
            elif brought:
                found.append(Past([tuple(entry[1:5]) for entry in brought], "caller"))
            else:
                found.append(Past([], "none"))
        return found

    def _score(
        self, rows: Sequence[Row], pasts: Sequence[Past]
    ) -> tuple[Sequence[Answer | RowError], float]:
        model = self._model()
        scorer, rule = model.scorer, self._rule.above(model.acceptance)
        began = time.perf_counter()
        scores = scorer.score(_sessions(rows, pasts))
        inference_ms = round((time.perf_counter() - began) * 1000, 2)
        answers = word(
            rows, pasts, scores, rule, version=scorer.model_version, inference_ms=inference_ms
        )
        return complete(rows, pasts, answers, scorer.sha256), inference_ms


def _sessions(rows: Sequence[Row], pasts: Sequence[Past]) -> Sessions:
    counts = np.array([len(past.patterns) for past in pasts], dtype=np.int64)  # (B,)
    history = np.zeros((len(rows), int(counts.max(initial=0)), 4))  # (B, K, 4)
    for i, past in enumerate(pasts):
        if past.patterns:
            history[i, : counts[i]] = past.patterns
    current = np.array([row[1][:4] for row in rows], dtype=np.float64).reshape(-1, 4)  # (B, 4)
    return Sessions(current, history, counts)


def _entries(
    rows: Sequence[Row], pasts: Sequence[Past], answers: Sequence[Answer | RowError], now: int
) -> list[Entry]:
    """The patterns that enter their DID's history, with the time at which the worker saw them.

    Rows of one DID in one message are judged by the same history: of several that would found it, the first does.
    """
    entries: list[Entry] = []
    founded: set[str] = set()
    for row, past, answer in zip(rows, pasts, answers, strict=True):
        did_hash, (wpm, hold, transition, errors, hour) = row[0], row[1]
        if "error" in answer or not answer["recorded"]:
            continue
        founding = past.recorded == 0
        if founding and did_hash in founded:
            answer["recorded"] = False
            continue
        founded.add(did_hash)
        pattern = Pattern(now, (wpm, hold, transition, errors), int(hour))
        entries.append(Entry(did_hash, pattern, founding, question_of(row)))
    return entries
