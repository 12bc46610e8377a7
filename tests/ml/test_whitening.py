from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.whitening import bordered, diagonal, whiten


def covariances(count: int, size: int) -> NDArray[np.float64]:
    roots = np.random.default_rng(count).normal(size=(count, size, size))
    return np.asarray(roots @ roots.swapaxes(1, 2) + np.eye(size))


@pytest.mark.parametrize("size", [1, 5, 38, 76])
def test_whitened_vectors_and_logs_are_those_of_each_cholesky_factor(size: int) -> None:
    given, x = covariances(4, size), np.random.default_rng(0).normal(size=(4, size))
    z, logs = whiten(bordered(given), x)
    for row in range(4):
        factor = np.linalg.cholesky(given[row])
        assert z[row] == pytest.approx(np.linalg.solve(factor, x[row]), rel=1e-9, abs=1e-9)
        assert logs[row] == pytest.approx(np.log(np.diag(factor)), rel=1e-9, abs=1e-9)


def test_only_the_upper_triangle_is_read() -> None:
    given, x = covariances(3, 6), np.ones((3, 6))
    z, logs = whiten(bordered(given), x)
    given[:, np.tril(np.ones((6, 6)), -1) > 0] = np.nan
    again, logs_again = whiten(bordered(given), x)
    assert np.array_equal(again, z)
    assert np.array_equal(logs_again, logs)


def test_a_matrix_has_the_same_bits_alone_and_in_company() -> None:
    given, x = covariances(20, 38), np.random.default_rng(1).normal(size=(20, 38))
    z, logs = whiten(bordered(given), x)
    for row in range(20):
        alone = whiten(bordered(given[row : row + 1]), x[row : row + 1])
        assert np.array_equal(alone[0][0], z[row])
        assert np.array_equal(alone[1][0], logs[row])


def test_a_diagonal_can_be_written_to() -> None:
    given = covariances(2, 3)
    diagonal(given)[:, 1] = 7.0
    assert given[:, 1, 1].tolist() == [7.0, 7.0]
    assert np.array_equal(diagonal(given), np.diagonal(given, axis1=1, axis2=2))
