from __future__ import annotations

import numpy as np
import pytest

from ml.blocks import BLOCK, in_blocks, product


def drawn(rows: int) -> np.ndarray:
    return np.random.default_rng(rows).normal(0, 3, (rows, 6))


@pytest.mark.parametrize("rows", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 4 * BLOCK])
def test_blocks_hold_the_rows_in_order_and_then_zeros(rows: int) -> None:
    blocks = in_blocks(drawn(rows))
    assert blocks.shape[1:] == (BLOCK, 6)
    flat = blocks.reshape(-1, 6)
    assert np.array_equal(flat[:rows], drawn(rows))
    assert not flat[rows:].any()


def test_rows_that_do_not_lie_side_by_side_are_no_other_rows() -> None:
    wide = drawn(2 * BLOCK)
    assert np.array_equal(in_blocks(wide[::2]).reshape(-1, 6), wide[::2])


@pytest.mark.parametrize("rows", [0, 1, BLOCK, 3 * BLOCK + 5])
def test_a_product_is_the_matrix_product_with_the_same_bits_in_any_company(rows: int) -> None:
    matrix = np.random.default_rng(1).normal(size=(6, 30))
    found = product(drawn(rows), matrix)
    assert found == pytest.approx(drawn(rows) @ matrix, rel=1e-12, abs=1e-12)
    alone = [product(drawn(rows)[row : row + 1], matrix) for row in range(rows)]
    assert np.concatenate([*alone, np.zeros((0, 30))]).tobytes() == found.tobytes()
