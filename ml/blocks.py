"""Rows in blocks of always as many, and their product with a matrix.

A matrix product of another shape may add in another order, and the last bit of a score would depend on the batch.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Rows; what is missing in the last block is zeros. The scoring network's pass costs 20 us for one row, and 0.8 us a row
# of many, with blocks of 8; with blocks of 32, 34 and 0.8. No product is large enough for BLAS to share it out to
# threads, which might move the bits, too.
BLOCK: Final = 8


def in_blocks(rows: Floats) -> Floats:
    """The rows (B, in) as blocks (n, 8, in), at least one."""
    count, width = rows.shape
    if count and count % BLOCK == 0:
        return np.ascontiguousarray(rows).reshape(-1, BLOCK, width)
    blocks = np.zeros((count // BLOCK + 1, BLOCK, width))
    blocks.reshape(-1, width)[:count] = rows
    return blocks


def product(rows: Floats, matrix: Floats) -> Floats:
    """The rows (B, in) times the matrix (in, out): (B, out)."""
    found = np.matmul(in_blocks(rows), matrix)  # (n, 8, out)
    return np.asarray(found.reshape(-1, matrix.shape[1])[: len(rows)])
