"""From samples to figures."""

from __future__ import annotations

import json
import math

import pytest

from bench.figures import RATIO_TO_REACH, Figure, figures

LABELS = {"service": "this service", "mosec": "Mosec"}


def one(samples: dict[str, list[float]], containing: str) -> Figure:
    (found,) = [figure for figure in figures(samples, LABELS) if containing in figure.name]
    return found


@pytest.mark.parametrize(
    ("values", "reached"), [((1.0,), True), ((0.9, 1.1, 1.2), True), ((0.9, 0.95, 3.0), False)]
)
def test_the_median_decides(values: tuple[float, ...], reached: bool) -> None:
    assert Figure("ratio", "x", values, at_least=1.0).reached is reached


def test_what_was_not_measured_is_neither_reached_nor_missed() -> None:
    figure = Figure("ratio", "x", (), at_least=1.0)
    assert figure.reached is None
    assert math.isnan(figure.median)
    assert figure.entry()["median"] is None


def test_a_round_without_any_answer_is_never_reached_and_fits_into_json() -> None:
    figure = Figure("p99", "ms", (3.0, math.nan, 4.0), at_most=25.0)
    assert figure.reached is False
    assert json.loads(json.dumps(figure.entry(), allow_nan=False))["values"] == [3.0, None, 4.0]


def test_what_nothing_was_asked_of_has_no_verdict() -> None:
    entry = Figure("rate", "requests/s", (3.0, 1.0, 2.0)).entry()
    assert (entry["median"], entry["low"], entry["high"]) == (2.0, 1.0, 3.0)
    assert entry["reached"] is None


def test_a_ratio_is_taken_within_each_round() -> None:
    samples = {"rate/service": [100.0, 50.0, 80.0], "rate/mosec": [50.0, 50.0, 20.0]}
    figure = one(samples, "against Mosec")
    assert figure.values == (2.0, 1.0, 4.0)
    assert figure.at_least == RATIO_TO_REACH["mosec"]
    assert figure.reached


def test_a_peer_that_fell_out_is_compared_as_far_as_it_went() -> None:
    assert one({"rate/service": [9.0, 8.0], "rate/mosec": [3.0]}, "against Mosec").values == (3.0,)
    assert one({"rate/service": [9.0, 8.0]}, "against Mosec").reached is None


def test_one_connection_is_held_against_echo_plus_scorer() -> None:
    samples = {"p50_one_ms/service": [3.0], "p50_one_ms/echo": [1.0], "scorer_one_ms": [0.5]}
    figure = one(samples, "bare Redis echo")
    assert figure.values == (2.0,)
    assert figure.reached


def test_of_two_ways_to_run_one_peer_only_the_plain_one_is_to_be_beaten() -> None:
    samples = {"rate/service": [3000.0], "rate/ray": [200.0], "rate/ray_tuned": [2000.0]}
    labels = LABELS | {"ray": "Ray", "ray_tuned": "Ray, tuned"}
    found = {figure.name: figure for figure in figures(samples, labels)}
    plain, tuned = (found[f"the same against {labels[name]}"] for name in ("ray", "ray_tuned"))
    assert (plain.values, plain.at_least, plain.reached) == ((15.0,), 15.0, True)
    assert (tuned.values, tuned.at_least, tuned.reached) == ((1.5,), None, None)


def test_the_scorer_is_judged_by_its_slowest_batch_against_the_fastest_products() -> None:
    samples = {
        "scorer/64": [50.0, 60.0],
        "scorer/4096": [40.0, 70.0],
        "chain/64": [100.0, 100.0],
        "chain/4096": [80.0, 150.0],
    }
    assert one(samples, "slowest of batches of 64 to 4,096").values == (40.0, 60.0)
    assert one(samples, "matrix products").values == (0.4, 0.4)
    assert one(samples, "against the fastest").values == (0.8, 60 / 70)


def test_one_lost_answer_in_any_round_is_one_too_many() -> None:
    assert not one({"open_failed/service": [0.0, 0.0, 1.0]}, "open loop, requests without").reached
    assert one({"open_failed/service": [0.0, 0.0, 0.0]}, "open loop, requests without").reached


def test_overload_is_judged_by_the_tail_of_what_was_answered() -> None:
    samples = {"flood_p99_ms": [300.0], "capacity_p99_ms": [100.0], "recovery_s": [0.1]}
    assert one(samples, "twice the capacity, against").reached is False
    assert one(samples, "last request of the flood").reached is True


def test_a_flood_that_did_not_leave_in_time_proves_nothing() -> None:
    samples = {"flood_p99_ms": [100.0], "capacity_p99_ms": [100.0], "flood_lost": [0.0]}
    for share, reached in ((1.0, True), (0.9, False)):
        given = samples | {"flood_offered": [share]}
        assert one(given, "against at capacity").reached is reached
        assert one(given, "neither with 200 nor with 503").reached is reached
        assert one(given, "requests/s that left").reached is reached


def test_what_the_generator_took_is_told_in_percent_of_a_core() -> None:
    assert one({"flood_processor_share": [0.2]}, "of one core").values == (20.0,)


def test_refusals_under_load_fail_their_row() -> None:
    assert one({"failed_64/service": [0.0, 1.0, 0.0]}, "its requests without").reached is False
    assert one({"failed_batches": [0.0, 1.0, 0.0]}, "batches without").reached is False


def test_a_scorer_that_leaves_the_cache_is_not_flat() -> None:
    samples = {"scorer/64": [41.0], "scorer/4096": [14.0], "chain/64": [50.0], "chain/4096": [50.0]}
    assert one(samples, "against the fastest").reached is False
    assert one(samples | {"scorer/4096": [38.0]}, "against the fastest").reached is True


def test_what_cannot_be_measured_here_is_open_and_says_what_measures_it() -> None:
    samples = {"scorer/64": [1.0], "chain/64": [1.0]}
    for name, command in (("on a GPU", "python -m bench.gpu"), ("its image", "docker build")):
        figure = one(samples, name)
        assert figure.reached is None
        assert command in figure.open
