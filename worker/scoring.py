"""What a scoring message is answered with: the core of the scoring task, without queue and without web."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any

import numpy as np
import structlog

from worker.answers import Settled, sound, word
from worker.comparison import Comparison, Row, Typed, beside
from worker.contract import MAX_ROWS_PER_MESSAGE, WIRE_VERSION, ErrorCode
from worker.enrolment import EnrolmentRule
from worker.held_model import HeldModel
from worker.history import SPARE, Entry, History, HistoryUnavailableError
from worker.judgement import judge
from worker.outcome import Outcome
from worker.provenance import before, lacking, provenance, question_of
from worker.records import Pattern, decode, pack_derived
from worker.worded import Worded, failed


class ScoringCore:
    """Reads the histories of a message's DIDs in one round trip, scores all rows in one batch, words the answers.

    What can be said of a pattern without its history is found while the histories are on their way.
    """

    def __init__(
        self,
        model: Callable[[], HeldModel],
        history: History,
        rule: EnrolmentRule,
        clock: Callable[[], float] = time.time,
        *,
        point: str = "balanced",
    ) -> None:
        self._model = model
        self._history = history
        self._rule = rule
        self._clock = clock
        self._point = point

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
        if message["v"] != WIRE_VERSION:
            worded = failed(len(rows), ErrorCode.UNSUPPORTED_MESSAGE)
        elif received > message["deadline"]:
            worded = failed(len(rows), ErrorCode.DEADLINE_EXCEEDED)
        else:
            try:
                worded, entries = self._score(rows, received)
            except HistoryUnavailableError as error:
                structlog.get_logger().error("history_unavailable", error=repr(error.__cause__))
                worded = failed(len(rows), ErrorCode.HISTORY_UNAVAILABLE)
        reply = {"v": WIRE_VERSION, "queue_seconds": max(0.0, received - message["sent"])}
        return Outcome(worded, reply, entries)

    def _ask(self, rows: Sequence[Row]) -> Callable[[], list[list[bytes]]]:
        """Ask for what is recorded of each row's DID; what is returned waits for it, newest first.

        A question of the chain that comes again sees what was recorded before it first came.
        """
        named = list(dict.fromkeys(row[0] for row in rows if row[0] is not None))
        questions = list(dict.fromkeys((row[0], question_of(row)) for row in rows if row[4:]))
        history = self._history
        entered = dict(zip(questions, history.entered(questions), strict=True))
        asked = history.ask(named, SPARE if questions else 0)

        def told() -> list[list[bytes]]:
            recorded = dict(zip(named, history.records_of(asked), strict=True))
            if not questions:
                return [recorded.get(row[0], []) for row in rows]
            return [
                before(recorded.get(row[0], []), entered.get((row[0], question_of(row))))[
                    : history.length
                ]
                for row in rows
            ]

        return told

    def _score(self, rows: Sequence[Row], received: float) -> tuple[Worded, list[Entry]]:
        model = self._model()
        scorer, rule = model.scorer, model.rule(self._rule)
        pasts = self._ask(rows)
        typed = Typed.of(rows)
        began = time.perf_counter()
        alone = scorer.alone(typed.numbers, typed.derived)
        spent = time.perf_counter() - began
        records, counts = decode(pasts())
        now = np.full(len(rows), received)
        comparison = beside(typed, records, counts, now, self._history.quota)
        began = time.perf_counter()
        scores = scorer.score(comparison.sessions, alone)
        inference_ms = round((time.perf_counter() - began + spent) * 1000, 2)
        named = np.array([row[0] is not None for row in rows], dtype=np.bool_)
        judgement = judge(comparison, scores, named, rule, model.point(self._point))
        known = sound(scores)
        errors = lacking(rows, comparison)
        errors.update(dict.fromkeys(np.flatnonzero(~known).tolist(), ErrorCode.INFERENCE_ERROR))
        recorded = (judgement.enters & known).tolist()
        for i in errors:
            recorded[i] = False
        entries = _entries(rows, comparison, recorded, int(received))
        origins = provenance(rows, records, comparison, scorer.sha256)
        worded = word(
            rows,
            comparison,
            scores,
            judgement,
            rule,
            Settled(recorded, errors, origins),
            version=scorer.model_version,
            inference_ms=inference_ms,
        )
        return worded, entries


def _entries(
    rows: Sequence[Row], comparison: Comparison, recorded: list[bool], now: int
) -> list[Entry]:
    """The patterns that enter their DID's history, with the time at which the worker saw them.

    Rows of one DID in one message are judged by the same history: of several that would found it, the first does, and
    of several alike one enters. `recorded`: which rows are to enter; False afterwards for who does not.
    """
    entries: list[Entry] = []
    seen: set[tuple[str, object]] = set()
    derived = comparison.sessions.derived
    extras = [b""] * len(rows) if derived is None else pack_derived(derived)
    for i in compress(range(len(rows)), tuple(recorded)):
        row = rows[i]
        did_hash, (wpm, hold, transition, errors, hour) = row[0], row[1]
        founding = not comparison.recorded[i]
        features = (wpm, hold, transition, errors)
        mark = (did_hash, None if founding else features)
        if mark in seen:
            recorded[i] = False
            continue
        seen.add(mark)
        pattern = Pattern(now, features, int(hour), extras[i])
        entries.append(Entry(did_hash, pattern, founding, question_of(row)))
    return entries
