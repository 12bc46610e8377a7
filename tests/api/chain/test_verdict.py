from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.chain.settings import LAST_ORACLE_ID
from api.chain.verdict import SERIAL_BITS, Verdict

serials = st.integers(0, 2**SERIAL_BITS - 1)
oracles = st.integers(0, LAST_ORACLE_ID)


def verdict(serial: int) -> Verdict:
    return Verdict(87, 1_790_000_000, "01" * 8, "fe" * 8, serial)


@given(serials)
def test_what_is_stored_is_read_back(serial: int) -> None:
    assert Verdict.decode(verdict(serial).encode()) == verdict(serial)


@given(st.tuples(serials, oracles), st.tuples(serials, oracles))
def test_another_oracle_or_another_serial_is_another_nonce_and_all_fit_u64(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    one, two = (verdict(serial).nonce(oracle) for serial, oracle in (first, second))
    assert (one == two) == (first == second)
    assert 0 <= one < 2**64


def test_what_is_no_verdict_is_refused() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        Verdict.decode(b"87:1")
