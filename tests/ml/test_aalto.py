from __future__ import annotations

import numpy as np

from ml.aalto import aalto


def test_the_covariances_are_symmetric_and_have_an_inverse() -> None:
    figures = aalto()
    for covariance in (figures.between, figures.within):
        assert np.array_equal(covariance, covariance.T)
        assert np.linalg.eigvalsh(covariance).min() > 0


def test_the_mean_person_is_an_ordinary_typist() -> None:
    hold, interval, pauses, root = aalto().mean
    assert 80 < np.exp(hold) < 130  # ms
    assert 40 < 12_000 / np.exp(interval + pauses) < 70  # wpm
    assert 1 < root**2 < 5  # %
