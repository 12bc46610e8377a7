from __future__ import annotations

import numpy as np
import pytest

from ml.metrics import Scored
from ml.operating import FALSE_MATCHES, GREATEST, OperatingPoint, operating_points, reject_below


@pytest.fixture(scope="module")
def scored() -> Scored:
    """40,000 calibrated comparisons of 200 users."""
    rng = np.random.default_rng(0)
    genuine = rng.random(40_000) < 0.5
    evidence = rng.normal(np.where(genuine, 4.0, -4.0), np.sqrt(8.0))
    return Scored(1 / (1 + np.exp(-evidence)), genuine, rng.integers(0, 200, 40_000))


def test_each_point_is_the_least_confidence_that_keeps_its_promise(scored: Scored) -> None:
    points = operating_points(scored, "here", np.random.default_rng(1), 20)
    confidence = np.floor(scored.probability * 100 + 0.5)
    for name, allowed in FALSE_MATCHES.items():
        point = points[name]
        accepted = confidence[~scored.genuine] >= point.threshold
        assert accepted.mean() <= allowed
        assert point.threshold <= GREATEST
        assert point.threshold == 51 or (
            (confidence[~scored.genuine] >= point.threshold - 1).mean() > allowed
        )
        assert point.fmr.value == pytest.approx(accepted.mean())
        refused = (confidence[scored.genuine] < point.threshold).mean()
        assert point.fnmr.value == pytest.approx(refused)
        assert point.fmr.low <= point.fmr.value <= point.fmr.high
        assert point.setting == "here"


def test_stricter_points_have_higher_thresholds(scored: Scored) -> None:
    points = operating_points(scored, "here", np.random.default_rng(1), 5)
    thresholds = [points[name].threshold for name in ("convenient", "balanced", "secure")]
    assert thresholds == sorted(thresholds)


def test_at_most_one_genuine_session_in_a_hundred_lies_below_the_rejection(scored: Scored) -> None:
    limit = reject_below(scored)
    confidence = np.floor(scored.probability[scored.genuine] * 100 + 0.5)
    assert 0 < limit <= 50
    assert (confidence < limit).mean() <= 0.01
    assert limit == 50 or (confidence < limit + 1).mean() > 0.01


def test_a_point_is_what_its_entry_says(scored: Scored) -> None:
    point = operating_points(scored, "here", np.random.default_rng(1), 5)["secure"]
    assert OperatingPoint.of(point.entry()) == point


def test_a_point_tells_what_the_same_threshold_does_to_sessions_of_four_numbers(
    scored: Scored,
) -> None:
    doubtful = Scored(0.25 + scored.probability / 2, scored.genuine, scored.user)
    rng = np.random.default_rng(1)
    points = operating_points(scored, "here", rng, 5, four_numbers=doubtful)
    confidence = np.floor(doubtful.probability * 100 + 0.5)
    for point in points.values():
        fmr, fnmr = point.four_numbers_fmr, point.four_numbers_fnmr
        assert fmr is not None
        assert fnmr is not None
        assert fmr.value == pytest.approx((confidence[~doubtful.genuine] >= point.threshold).mean())
        assert fnmr.value == pytest.approx((confidence[doubtful.genuine] < point.threshold).mean())
        assert OperatingPoint.of(point.entry()) == point


def test_no_point_refuses_all_that_is_not_certain() -> None:
    rng = np.random.default_rng(2)
    genuine = np.arange(4_000) % 2 == 0
    alike = Scored(np.full(4_000, 0.999), genuine, np.arange(4_000) % 40)
    points = operating_points(alike, "here", rng, 5)
    assert {point.threshold for point in points.values()} == {GREATEST}


def test_an_entry_with_a_part_missing_is_no_point(scored: Scored) -> None:
    point = operating_points(scored, "here", np.random.default_rng(1), 5)["secure"]
    entry = point.entry()
    del entry["fmr"]
    with pytest.raises(KeyError):
        OperatingPoint.of(entry)
