"""The chain's questions: the same one again sees the same past."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import pytest

from tests.worker.outcomes import answer
from worker.answers import Past
from worker.contract import ErrorCode
from worker.provenance import before, complete, history_digest, question_of
from worker.records import Pattern

ASKED = "0123456789abcdef"


def pattern(second: int) -> Pattern:
    return Pattern(1_790_000_000 + second, (60.0, 100.0, 80.0, 2.0), 9)


def row(*chain: Any) -> list[Any]:
    return ["aa", [60.0, 100.0, 80.0, 2.0, 9.0], None, None, *chain]


def test_a_row_of_predict_has_no_question() -> None:
    assert question_of(row()) == ""
    assert question_of(row([ASKED, 0])) == ASKED


def test_a_repeated_question_sees_what_was_there_before_it_first_came() -> None:
    past = [pattern(second) for second in (9, 7, 5, 3)]
    assert before(past, pattern(7)) == past[2:]
    assert before(past, pattern(3)) == []


def test_of_two_patterns_that_cannot_be_told_apart_both_are_left_out() -> None:
    past = [pattern(second) for second in (9, 7, 7, 3)]
    assert before(past, pattern(7)) == past[3:]


def test_a_question_that_entered_nothing_sees_everything() -> None:
    past = [pattern(9), pattern(7)]
    assert before(past, None) == past
    assert before(past, pattern(8)) == past


def test_a_history_has_the_digest_of_its_numbers_newest_first_without_their_times() -> None:
    numbers = [(60.0, 100.0, 80.0, 2.5), (61.0, 99.0, 81.0, 0.0)]
    packed = struct.pack("<8f", *numbers[0], *numbers[1])
    assert history_digest(numbers) == hashlib.blake2b(packed, digest_size=32).hexdigest()
    assert history_digest(numbers[::-1]) != history_digest(numbers)
    assert history_digest([]).startswith("0e5751c026e543b2")


def test_only_questions_of_the_chain_get_a_provenance() -> None:
    rows = [row(), row([ASKED, 0])]
    pasts = [Past([], "none"), Past([(60.0, 100.0, 80.0, 2.0)], "server")]
    plain, asked = complete(rows, pasts, [answer(50), answer(60)], "ab" * 32)
    assert "provenance" not in plain
    digest = history_digest([(60.0, 100.0, 80.0, 2.0)])
    assert asked == {**answer(60), "provenance": {"model": "ab" * 32, "history": digest}}


@pytest.mark.parametrize(("recorded", "refused"), [(2, True), (3, False), (4, False)])
def test_a_question_that_requires_more_history_than_there_is_gets_no_score(
    recorded: int, refused: bool
) -> None:
    past = Past([(60.0, 100.0, 80.0, 2.0)] * recorded, "server")
    (entry,) = complete([row([ASKED, 3])], [past], [answer(60)], "ab" * 32)
    assert (entry == {"error": ErrorCode.HISTORY_REQUIRED}) == refused


def test_an_error_stays_an_error() -> None:
    (entry,) = complete([row([ASKED, 0])], [Past([], "none")], [{"error": "X"}], "ab" * 32)
    assert entry == {"error": "X"}
