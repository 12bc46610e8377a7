"""The figures beside versions that count one comparison at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.metrics import Scored, at_threshold, calibration_error, rates, summary, with_intervals


def any_scored(seed: int, rows: int = 60, apart: float = 0.3) -> Scored:
    rng = np.random.default_rng(seed)
    genuine = rng.random(rows) < 0.4
    genuine[:2] = True, False
    probability = np.clip(rng.normal(0.4 + apart * genuine, 0.2), 0, 1).round(2)  # with ties
    return Scored(probability, genuine, rng.integers(0, 8, rows))


@given(st.integers(0, 10_000))
def test_auc_is_how_often_a_genuine_scores_above_an_impostor(seed: int) -> None:
    scored = any_scored(seed)
    own, others = (scored.probability[scored.genuine == side] for side in (True, False))
    wins = sum((a > b) + 0.5 * (a == b) for a in own for b in others)
    assert rates(scored).auc == pytest.approx(wins / (len(own) * len(others)))


@given(st.integers(0, 10_000))
def test_the_rates_at_each_threshold_are_counted(seed: int) -> None:
    scored = any_scored(seed)
    swept = rates(scored)
    for threshold, far, frr in zip(swept.threshold, swept.far, swept.frr, strict=True):
        accepted = scored.probability >= threshold
        assert far == pytest.approx(accepted[~scored.genuine].mean())
        assert frr == pytest.approx((~accepted)[scored.genuine].mean())


@given(st.integers(0, 10_000))
def test_the_eer_lies_between_the_rates_where_they_cross(seed: int) -> None:
    swept = rates(any_scored(seed))
    worst = np.minimum.reduce([np.maximum(swept.far, swept.frr)])
    best = np.maximum.reduce([np.minimum(swept.far, swept.frr)])
    assert best.max() - 1e-9 <= swept.eer <= worst.min() + 1e-9


def test_scores_that_separate_perfectly_have_no_error() -> None:
    scored = Scored(
        np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1], dtype=bool), np.arange(4)
    )
    assert rates(scored).eer == 0.0
    assert rates(scored).auc == 1.0


def test_scores_that_say_nothing_are_a_coin() -> None:
    scored = Scored(np.full(10, 0.5), np.arange(10) % 2 == 0, np.arange(10))
    assert rates(scored).auc == 0.5
    assert rates(scored).eer == 0.5


@given(st.integers(0, 10_000), st.integers(0, 100))
def test_threshold_figures_are_counted_at_even_odds(seed: int, confidence: int) -> None:
    scored = any_scored(seed)
    accepted = np.floor(scored.probability * 100 + 0.5) >= confidence
    recall, far = accepted[scored.genuine].mean(), accepted[~scored.genuine].mean()
    found = at_threshold(scored, confidence)
    assert found["recall"] == pytest.approx(recall)
    assert found["frr"] == pytest.approx(1 - recall)
    assert found["far"] == pytest.approx(far)
    assert found["accuracy"] == pytest.approx((recall + 1 - far) / 2)
    if recall + far:
        precision = recall / (recall + far)
        assert found["precision"] == pytest.approx(precision)
        harmonic = 2 * precision * recall / (precision + recall) if recall else 0.0
        assert found["f1"] == pytest.approx(harmonic, abs=1e-12)


@given(st.integers(0, 10_000))
def test_a_row_that_weighs_double_counts_like_a_row_that_is_there_twice(seed: int) -> None:
    scored = any_scored(seed, rows=20)
    times = np.random.default_rng(seed).integers(1, 4, 20)
    twice = Scored(
        np.repeat(scored.probability, times),
        np.repeat(scored.genuine, times),
        np.repeat(scored.user, times),
    )
    weighed = summary(scored, 50, times.astype(np.float64))
    assert weighed == pytest.approx(summary(twice, 50))


def test_honest_probabilities_have_little_calibration_error_and_bold_ones_much() -> None:
    rng = np.random.default_rng(0)
    honest = rng.random(200_000)
    genuine = rng.random(200_000) < honest
    user = np.zeros(200_000, dtype=np.int64)
    assert calibration_error(Scored(honest, genuine, user)) < 0.01
    assert calibration_error(Scored(np.where(honest > 0.5, 0.99, 0.01), genuine, user)) > 0.2


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1_000))
def test_an_interval_holds_its_value_and_shrinks_with_more_people(seed: int) -> None:
    def width(rows: int) -> float:
        rng = np.random.default_rng(seed)
        scored = any_scored(seed, rows)
        many = Scored(scored.probability, scored.genuine, np.arange(rows) // 4)
        eer = with_intervals(many, 50, rng, 100)["eer"]
        assert eer["low"] <= eer["value"] <= eer["high"]
        return eer["high"] - eer["low"]

    assert width(4_000) < width(200)


def test_rates_at_a_given_rate_are_the_best_that_keep_it() -> None:
    swept = rates(any_scored(3, 400))
    assert swept.frr_at_far(0.1) == swept.frr[swept.far <= 0.1].min()
    assert swept.far_at_frr(0.1) == swept.far[swept.frr <= 0.1].min()
