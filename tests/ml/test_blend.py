from __future__ import annotations

import numpy as np
import pytest

from ml.blend import Vectors, average
from ml.statistics import VALUES
from tests.ml.rich_crowd import rich_crowd

CROWD = rich_crowd(5, 4, np.random.default_rng(0))
DERIVED = CROWD.derived_rows()


def test_a_session_survives_being_a_vector() -> None:
    numbers, derived = Vectors.of(CROWD.features, DERIVED).sessions()
    assert numbers == pytest.approx(CROWD.features)
    assert derived == pytest.approx(DERIVED)


def test_what_is_missing_stays_missing() -> None:
    some = DERIVED.copy()
    some[:, 7] = 0.0
    _, derived = (
        Vectors.of(CROWD.features, some).disturbed(1.0, np.random.default_rng(1)).sessions()
    )
    assert (derived[:, 7] == 0.0).all()
    assert (derived[:, VALUES] > 0.0).sum() == 33 * len(some)


def test_an_average_is_taken_over_what_is_there() -> None:
    some = DERIVED.copy()
    some[0, 3] = 0.0
    vectors = Vectors.of(CROWD.features, some)
    mean = average(vectors, np.repeat(np.arange(5), 4), 5)
    assert mean.values[0, 7] == pytest.approx(np.mean(vectors.values[1:4, 7]))
    assert mean.values[2] == pytest.approx(vectors.values[8:12].mean(axis=0))
    assert mean.counts[1] == pytest.approx(vectors.counts[4:8].mean(axis=0), abs=0.5)
    assert mean.windows.tolist() == [1.0] * 5


def test_noise_is_in_deviations_of_one_person() -> None:
    vectors = Vectors.of(np.repeat(CROWD.features, 200, 0), np.repeat(DERIVED, 200, 0))
    moved = vectors.disturbed(0.5, np.random.default_rng(2)).values - vectors.values
    assert moved.std(axis=0) == pytest.approx(np.full(38, 0.5), rel=0.1)
