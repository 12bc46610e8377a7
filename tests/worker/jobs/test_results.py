"""Results by pages of the input, packed by a worker and worded by the front end."""

from __future__ import annotations

import json
import zlib
from typing import Any

import numpy as np
from pydantic_core import from_json

from api.jobs.worded import page_of
from ml.scorer import Scores
from tests.worker.batches import SHARES, brought, compared, pattern, row
from worker.answers import Settled, windowed, word
from worker.contract import RESULTS_PER_PAGE, ErrorCode
from worker.enrolment import EnrolmentRule
from worker.jobs import rows as packed_rows
from worker.jobs.results import PACKED, Results, error_pages
from worker.judgement import Point, judge
from worker.packed import RESULT, RESULTS_MARK

RULE = EnrolmentRule(60, 0.99)


def lines(pages: dict[int, bytes], page: int = 0) -> list[Any]:
    return [None if line is None else json.loads(line) for line in page_of([pages[page]])]


def added(results: Results, positions: list[int], batch: tuple[str, float], sound: bool) -> Any:
    """Rows at these positions, of which the last has no figures where not `sound`; what `word` says of them."""
    names = [None, "aa", "bb", "cc"][: len(positions)]
    wire = [row(name, brought(2) if name == "bb" else None) for name in names]
    past = [[pattern(k) for k in range(7 if name == "cc" else 0)] for name in names]
    comparison = compared(wire, past)
    count = len(positions)
    anomaly = np.linspace(0.12344, 0.9999, count)
    anomaly[-1] = anomaly[-1] if sound else np.nan
    scores = Scores(
        np.array([50, 3, 77, 100])[:count],
        anomaly,
        np.repeat(SHARES[None], count, axis=0),
        np.arange(count) == 1,
    )
    rows = np.zeros(count, packed_rows.PACKED)
    rows["position"], rows["named"] = positions, [name is not None for name in names]
    judgement = judge(comparison, scores, rows["named"], RULE, Point(70, 20))
    results.add(rows, windowed(wire), comparison, scores, judgement, RULE, batch)
    version, inference_ms = batch
    errors = {} if sound else {count - 1: ErrorCode.INFERENCE_ERROR}
    worded = word(
        wire,
        comparison,
        scores,
        judgement,
        RULE,
        Settled(judgement.enters.tolist(), errors),
        version=version,
        inference_ms=inference_ms,
    )
    return [from_json(each) for each in worded.rows]


def test_the_two_sides_mean_the_same_bytes() -> None:
    assert PACKED.itemsize == RESULT.size


def test_a_line_says_what_a_single_answer_says() -> None:
    results = Results()
    words = added(results, [3, 0, 2, 1], ('2.0 "rc"', 3.25), sound=True)
    words[0]["reasons"].insert(0, "DID_ABBREVIATED")
    found = lines(results.pages())
    expected = [{"index": n, **words[[3, 0, 2, 1].index(n)]} for n in range(4)]
    assert found[:4] == expected
    assert [list(each) for each in found[:4]] == [list(each) for each in expected]
    assert found[4:] == [None] * (RESULTS_PER_PAGE - 4)
    assert {each["history_source"] for each in expected} == {"none", "caller", "server"}
    assert {each["decision"] for each in expected} == {"accept", "review", "reject"}


def test_a_pattern_without_figures_has_an_error_and_the_others_their_scores() -> None:
    results = Results()
    added(results, [0, 1, 2, 3], ("2", 1.0), sound=False)
    found = lines(results.pages())
    assert found[3] == {
        "index": 3,
        "error_code": "INFERENCE_ERROR",
        "detail": "the worker could not score this pattern",
    }
    assert all("confidence_score" in each for each in found[:3])
    assert results.counts() == (3, 1)


def test_each_page_has_its_own_patterns_with_the_batches_that_they_were_in() -> None:
    results = Results()
    added(results, [0, RESULTS_PER_PAGE + 5], ("1", 1.5), sound=True)
    added(results, [RESULTS_PER_PAGE, 7], ("2", 2.5), sound=True)
    pages = results.pages()
    assert set(pages) == {0, 1}
    found = {
        each["index"]: (each["model_version"], each["inference_time_ms"])
        for page in pages
        for each in lines(pages, page)
        if each is not None
    }
    first, second = ("1", 1.5), ("2", 2.5)
    assert found == {0: first, RESULTS_PER_PAGE + 5: first, RESULTS_PER_PAGE: second, 7: second}
    assert len(zlib.decompress(pages[0][len(RESULTS_MARK) :])) < 3 * RESULT.size


def test_lines_of_errors_stand_beside_packed_results() -> None:
    results = Results()
    added(results, [1, 2], ("1", 1.5), sound=True)
    pages = error_pages([RESULTS_PER_PAGE, 0], {"error_code": "X", "detail": "a\nb"})
    assert lines(pages, 1)[0] == {"index": RESULTS_PER_PAGE, "error_code": "X", "detail": "a\nb"}
    both = page_of([results.pages()[0], pages[0]])
    assert [line is not None for line in both[:4]] == [True, True, True, False]
