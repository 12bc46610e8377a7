from __future__ import annotations

import numpy as np

from ml.aalto import aalto, entries, measurements
from ml.statistics import ALL, COUNTS


def test_the_covariances_are_covariances() -> None:
    p = aalto().population
    for matrix in (p.between, p.residual):
        assert matrix.shape == (ALL, ALL)
        assert np.allclose(matrix, matrix.T, atol=1e-5)
        assert np.linalg.eigvalsh(matrix).min() > 0
    assert np.allclose(np.diag(p.residual), 1.0, atol=1e-5)
    assert (p.alpha > 0).all()
    assert (p.beta > 0).all()


def test_the_usual_session_is_a_sentence_of_about_fifty_keys() -> None:
    p = aalto().population
    assert 40 < p.usual_counts[COUNTS.index("keys")] < 55
    assert 80 < np.exp(p.centre[1]) < 130  # ms of a hold
    assert 150 < np.exp(p.centre[2]) < 300  # ms from key to key


def test_the_figures_name_their_source_and_are_over_many_people() -> None:
    found = entries()
    assert "Dhakal" in found["source"]
    assert found["people"] > 1_000
    assert set(found) == {
        "source",
        "people",
        "sessions",
        "population",
        "summary",
        "error_quantiles",
        "operating_points",
        "reject_below",
    }


def test_what_was_measured_of_the_model_is_there() -> None:
    measured = measurements()
    assert measured is not None
    assert (np.diff(measured.error_quantiles) >= 0).all()
    assert set(measured.operating_points) == {"convenient", "balanced", "secure"}
    assert 0 < measured.reject_below <= 50
