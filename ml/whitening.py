"""Cholesky factors of many small covariances at once, with the vectors that are to be whitened in a border."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TOP: Final = (
    1e12  # more than any squared distance, so that a bordered matrix stays positive definite
)


def bordered(matrix: Floats) -> Floats:
    """(.., M, M) with a last row and column of zeros, (.., M+1, M+1)."""
    size = matrix.shape[-1] + 1
    wide = np.zeros((*matrix.shape[:-2], size, size))
    wide[..., :-1, :-1] = matrix
    return wide


def diagonal(matrix: Floats) -> Floats:
    """The diagonals (.., M) of contiguous matrices (.., M, M), as a view to write to."""
    size = matrix.shape[-1]
    return matrix.reshape(*matrix.shape[:-2], size * size)[..., :: size + 1]


def whiten(matrix: Floats, x: Floats) -> tuple[Floats, Floats]:
    """L^-1 x (.., M) and the logs of L's diagonal (.., M), L the Cholesky factor of the first M rows and columns of
    (.., M+1, M+1), whose border is written to.

    The last row of the factor of [[S, x], [x', huge]] is L^-1 x: no triangular solve is needed. Only the upper triangle
    is read: seen as columns, in which LAPACK works, that is the lower one.
    """
    size = x.shape[-1]
    matrix[..., :size, size] = x
    matrix[..., size, size] = _TOP
    factor: Floats = np.linalg.cholesky(matrix.swapaxes(-1, -2)).astype(np.float64, copy=False)
    return factor[..., size, :size], np.log(diagonal(factor)[..., :size])
