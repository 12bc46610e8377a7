"""Answers as the worker worded them: passed on as bytes, and looked at in columns."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import itemgetter, lt
from typing import Any, Final, cast

from pydantic_core import from_json, to_json

from worker.contract import RESULT_COLUMNS, RESULT_HEAD, Answer, Columns, Reason, RowError

_BORDER: Final = b"},{"  # of two rows

Meta = dict[str, Any]
"""A Celery result: `status`, `result`, `task_id` and more."""


def read(stored: bytes | str) -> Meta:
    """A stored result. What a worker worded is not parsed: the `rows` of its `result` are bytes then.

    Raises ValueError for what is no JSON.
    """
    if isinstance(stored, bytes) and stored.startswith(RESULT_HEAD):
        end = stored.rfind(RESULT_COLUMNS)
        if end >= 0:
            meta: Meta = from_json(b'{"result":{%b' % stored[end + 2 :])
            meta["result"]["rows"] = stored[len(RESULT_HEAD) : end]
            return meta
    whole: Meta = from_json(stored)
    return whole


class Reply:
    """The answers to some rows, in order: all of a message, or a part of it."""

    __slots__ = ("_columns", "_first", "_rows", "_stop")

    def __init__(self, rows: bytes, columns: Columns, first: int, stop: int) -> None:
        self._rows = rows
        self._columns = columns
        self._first = first
        self._stop = stop

    @classmethod
    def of(cls, result: dict[str, Any]) -> Reply:
        """All answers of a scoring task's result. Raises ValueError where its columns do not fit its rows."""
        rows = result["rows"]
        if not isinstance(rows, bytes):  # from an older worker, or one that answered through Celery
            return cls.worded(rows)
        columns: Columns = result["columns"]
        if not _fit(rows, columns):
            raise ValueError("the columns do not fit the rows")
        return cls(rows, columns, 0, len(columns["ends"]))

    @classmethod
    def worded(cls, entries: Sequence[Answer | RowError]) -> Reply:
        """Answers that are no bytes yet."""
        scored = [entry if "error" not in entry else None for entry in entries]
        texts = [to_json(entry) for entry in entries]
        times = [answer["inference_time_ms"] for answer in scored if answer is not None]
        columns = Columns(
            ends=[end + i for i, end in enumerate(accumulate(map(len, texts)))],
            confidence=[answer["confidence_score"] if answer else 0 for answer in scored],
            anomaly=[answer["anomaly_score"] if answer else 0.0 for answer in scored],
            anomalous=[
                int(Reason.ANOMALOUS in answer["reasons"]) if answer else 0 for answer in scored
            ],
            inference_ms=times[0] if times else 0.0,
            errors=[
                (i, cast("RowError", entry)["error"])
                for i, entry in enumerate(entries)
                if "error" in entry
            ],
        )
        return cls(b",".join(texts), columns, 0, len(texts))

    def __len__(self) -> int:
        return self._stop - self._first

    def part(self, first: int, stop: int) -> Reply:
        """The answers from place `first` to before `stop`."""
        return Reply(self._rows, self._columns, self._first + first, self._first + stop)

    def text(self) -> bytes:
        """The answers' JSON, joined by commas."""
        ends = self._columns["ends"]
        begin = ends[self._first - 1] + 1 if self._first else 0
        return self._rows[begin : ends[self._stop - 1]] if self else b""

    def __iter__(self) -> Iterator[Answer | RowError]:
        """The answers parsed, for who must look at more than the columns."""
        return iter(from_json(b"[%b]" % self.text()))

    @property
    def error(self) -> tuple[int, str] | None:
        """Place and code of the first error, None where every row has a score."""
        errors = self._columns["errors"]
        nearest = bisect_left(errors, self._first, key=itemgetter(0))
        for place, code in errors[nearest : nearest + 1]:
            if place < self._stop:
                return place - self._first, code
        return None

    @property
    def confidence(self) -> list[int]:
        """Of each row, 0 for an error; so are the others."""
        return self._columns["confidence"][self._first : self._stop]

    @property
    def anomaly(self) -> list[float]:
        """Of each row."""
        return self._columns["anomaly"][self._first : self._stop]

    @property
    def anomalies(self) -> int:
        """How many rows are called anomalous."""
        return sum(self._columns["anomalous"][self._first : self._stop])

    @property
    def inference_ms(self) -> float:
        """Of the message that carried the rows."""
        return self._columns["inference_ms"]


def _fit(rows: bytes, columns: Columns) -> bool:
    """Whether a row ends wherever the columns say, so that nobody is given a part of another's, and all have figures.

    7 us for 40 rows.
    """
    ends, errors = columns["ends"], columns["errors"]
    if len(rows) != (ends[-1] if ends else 0) or not all(map(lt, ends, ends[1:])):
        return False
    if not {rows[end - 1 : end + 2] for end in ends[:-1]} <= {_BORDER}:
        return False
    lengths = [len(columns[name]) for name in ("confidence", "anomaly", "anomalous")]
    return lengths == [len(ends)] * 3 and errors == sorted(errors)
