from __future__ import annotations

import numpy as np
import pytest

from ml.dataset import SessionTable
from ml.metrics import Scored, Sweep, rates
from ml.protocol import first_sessions, rows_of_table
from ml.scorer import Scorer
from ml.verification import Measured, blind, bounded, figures, measure, share, whole


@pytest.fixture(scope="module")
def measured(shipped: Scorer, crowd: SessionTable) -> Measured:
    (row,) = rows_of_table(crowd.plain(), 10)
    return measure(shipped, row, seed=1, resamples=20)


def test_every_figure_lies_in_its_interval(measured: Measured) -> None:
    assert measured.counts == {"people": 120, "genuine": 1_200, "impostor": 4_800}
    for figure in measured.figures.values():
        assert figure["low"] - 1e-9 <= figure["value"] <= figure["high"] + 1e-9
    assert 0.0 < measured.figures["eer"]["value"] < 0.2


def test_stricter_rates_refuse_more(measured: Measured) -> None:
    refused = [measured.figures[f"frr_at_far_{far}"]["value"] for far in ("2_1", "1", "0_1")]
    assert refused == sorted(refused)
    found = measured.figures
    assert found["accuracy_at_equal_rates"]["value"] == 1 - found["eer"]["value"]


def test_operating_points_count_whole_confidences(measured: Measured, shipped: Scorer) -> None:
    scored = measured.scored
    confidence = whole(scored.probability)
    for name, point in shipped.model.operating_points.items():
        found = measured.points[name]
        accepted = confidence >= point.threshold
        assert found["threshold"] == point.threshold
        assert found["fmr"]["value"] == pytest.approx(accepted[~scored.genuine].mean())
        assert found["fnmr"]["value"] == pytest.approx(1 - accepted[scored.genuine].mean())


def test_the_same_seed_measures_the_same(
    measured: Measured, shipped: Scorer, crowd: SessionTable
) -> None:
    (row,) = rows_of_table(crowd.plain(), 10)
    assert measure(shipped, row, seed=1, resamples=20).entry() == measured.entry()


def test_without_a_history_nobody_is_told_apart(shipped: Scorer, crowd: SessionTable) -> None:
    found = blind(shipped, first_sessions(crowd, 0, rich=False), 40, seed=2)
    assert found["auc"] == pytest.approx(0.5, abs=0.005)
    assert found["eer"] == pytest.approx(0.5, abs=0.01)
    assert 47 <= found["least_confidence"] <= found["greatest_confidence"] <= 53


def test_a_sweep_weighs_rows_as_repeating_them_would() -> None:
    rng = np.random.default_rng(3)
    scored = Scored(rng.random(300).round(2), rng.random(300) < 0.4, np.arange(300))
    times = rng.integers(0, 4, 300)
    again = np.repeat(np.arange(300), times)
    repeated = Scored(scored.probability[again], scored.genuine[again], scored.user[again])
    weighed = figures(scored, Sweep(scored), times.astype(float))
    for name, value in figures(repeated, Sweep(repeated)).items():
        assert weighed[name] == pytest.approx(value, abs=1e-9)
    assert rates(repeated).eer == pytest.approx(weighed["eer"])


def test_what_subtraction_leaves_of_nothing_is_nothing() -> None:
    dust = {"value": 1.1e-16, "low": -2e-16, "high": 2.2e-16}
    assert bounded(dust, 100) == {"value": 0.0, "low": 0.0, "high": 0.03}
    surely = {"value": 1.0, "low": 1.0 - 2e-16, "high": 1.0}
    assert bounded(surely, 100) == {"value": 1.0, "low": 0.97, "high": 1.0}
    some = {"value": 0.01, "low": -1e-17, "high": 0.02}
    assert bounded(some, 100) == {"value": 0.01, "low": 0.0, "high": 0.02}


def test_a_share_knows_what_nothing_seen_can_mean() -> None:
    never = share(np.zeros(100), np.random.default_rng(4))
    assert (never["value"], never["low"], never["high"]) == (0.0, 0.0, 0.03)
    always = share(np.ones(100), np.random.default_rng(4))
    assert (always["value"], always["low"], always["high"]) == (1.0, 0.97, 1.0)
    some = share(np.repeat([1.0, 0.0], [20, 80]), np.random.default_rng(4), 1_000)
    assert some["value"] == 0.2
    assert some["low"] == pytest.approx(0.2 - 1.96 * 0.04, abs=0.015)  # sqrt(.2 .8 / 100) = .04
    assert some["high"] == pytest.approx(0.2 + 1.96 * 0.04, abs=0.015)


def test_a_rate_of_nothing_is_bounded_by_three_over_the_people() -> None:
    nothing = {"value": 0.0, "low": 0.0, "high": 0.0}
    assert bounded(nothing, 600) == {"value": 0.0, "low": 0.0, "high": 0.005}
    some = {"value": 0.0, "low": 0.0, "high": 0.001}
    assert bounded(some, 600) == some
