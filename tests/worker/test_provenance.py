"""The chain's questions: the same one again sees the same past."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import numpy as np
import pytest

from ml.statistics import pool
from tests.worker.batches import compared, window
from worker.contract import ErrorCode
from worker.provenance import before, history_digest, lacking, provenance, question_of
from worker.records import Pattern, Records, decode, pack_derived

ASKED = "0123456789abcdef"


def record(second: int) -> bytes:
    return Pattern(1_790_000_000 + second, (60.0, 100.0, 80.0, 2.0), 9).pack()


def row(*chain: Any) -> list[Any]:
    return ["aa", [60.0, 100.0, 80.0, 2.0, 9.0], None, None, *chain]


def records(*patterns: Pattern) -> Records:
    found, _ = decode([[each.pack() for each in patterns]])
    return np.asarray(found[0])


def rich(seed: int, seconds: int = 5) -> Pattern:
    extra = pack_derived(pool(np.array([window(seed)], dtype=np.float64))[None])[0]
    return Pattern(seconds, (60.0, 100.0, 80.0, 2.5), 9, extra)


def test_a_row_of_predict_has_no_question() -> None:
    assert question_of(row()) == ""
    assert question_of(row([ASKED, 0])) == ASKED


def test_a_repeated_question_sees_what_was_there_before_it_first_came() -> None:
    past = [record(second) for second in (9, 7, 5, 3)]
    assert before(past, record(7)) == past[2:]
    assert before(past, record(3)) == []


def test_of_two_patterns_that_cannot_be_told_apart_both_are_left_out() -> None:
    past = [record(second) for second in (9, 7, 7, 3)]
    assert before(past, record(7)) == past[3:]


def test_a_question_that_entered_nothing_sees_everything() -> None:
    past = [record(9), record(7)]
    assert before(past, None) == past
    assert before(past, record(8)) == past


PAST = [Pattern(7, (60.0, 100.0, 80.0, 2.5)), Pattern(9, (61.0, 99.0, 81.0, 0.0))]


def test_a_history_has_the_digest_of_its_numbers_newest_first_without_their_times() -> None:
    packed = struct.pack("<8f", *PAST[0].features, *PAST[1].features)
    assert history_digest(records(*PAST)) == hashlib.blake2b(packed, digest_size=32).hexdigest()
    assert history_digest(records(*PAST[::-1])) != history_digest(records(*PAST))
    assert history_digest(records()).startswith("0e5751c026e543b2")


def test_a_rich_history_has_a_digest_of_all_that_it_holds() -> None:
    past = [rich(1), PAST[0]]
    packed = b"".join(
        struct.pack("<B4f", 2 if each.extra else 1, *each.features) + (each.extra or bytes(92))
        for each in past
    )
    expected = hashlib.blake2b(packed, digest_size=32, person=b"rich history").hexdigest()
    assert history_digest(records(*past)) == expected
    assert history_digest(records(rich(1, seconds=99), PAST[0])) == expected
    assert history_digest(records(rich(2), PAST[0])) != expected


def test_a_history_of_four_numbers_has_the_same_digest_beside_a_rich_one() -> None:
    both, counts = decode([[each.pack() for each in PAST], [rich(1).pack()]])
    assert history_digest(both[0, : counts[0]]) == history_digest(records(*PAST))


def beside(patterns: list[list[Pattern]], *rows: list[Any]) -> tuple[Any, ...]:
    found, _ = decode([[each.pack() for each in past] for past in patterns])
    return list(rows), found, compared(list(rows), patterns), "ab" * 32


def test_only_questions_of_the_chain_get_a_provenance() -> None:
    found = provenance(*beside([[], PAST], row(), row([ASKED, 0])))
    assert found == {1: {"model": "ab" * 32, "history": history_digest(records(*PAST))}}


@pytest.mark.parametrize(("recorded", "refused"), [(2, True), (3, False), (4, False)])
def test_a_question_that_requires_more_history_than_there_is_gets_no_score(
    recorded: int, refused: bool
) -> None:
    rows, _, comparison, _ = beside([[], PAST[:1] * recorded], row(), row([ASKED, 3]))
    assert lacking(rows, comparison) == ({1: ErrorCode.HISTORY_REQUIRED} if refused else {})
