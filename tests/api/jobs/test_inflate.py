"""Gzip, in bounded pieces."""

from __future__ import annotations

import gzip
import os

import pytest

from api.errors import InvalidInputError
from api.jobs.inflate import PIECE_BYTES, Gunzip, Plain


@pytest.mark.parametrize("size", [1, 7, 1000, 1_000_000])
def test_what_was_packed_comes_back_however_it_arrives(size: int) -> None:
    text = os.urandom(3_000) + b"a" * 200_000
    packed = gzip.compress(text[:1000]) + gzip.compress(text[1000:])
    inflate = Gunzip()
    found = [
        piece
        for start in range(0, len(packed), size)
        for piece in inflate.feed(packed[start : start + size])
    ]
    inflate.finish()
    assert b"".join(found) == text
    assert max(map(len, found)) <= PIECE_BYTES


def test_a_small_body_never_becomes_one_large_piece() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    lengths = [len(piece) for piece in Gunzip().feed(bomb)]
    assert sum(lengths) == 50_000_000
    assert max(lengths) <= PIECE_BYTES


def test_what_is_no_gzip_or_ends_early_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="promises"):
        list(Gunzip().feed(b"plain"))
    cut = Gunzip()
    list(cut.feed(gzip.compress(b"text")[:-1]))
    with pytest.raises(InvalidInputError, match="too early"):
        cut.finish()


def test_an_empty_body_is_whole() -> None:
    Gunzip().finish()
    assert list(Gunzip().feed(b"")) == []


def test_a_plain_body_comes_in_pieces_as_small() -> None:
    pieces = list(Plain().feed(b"x" * 150_000))
    assert [len(piece) for piece in pieces] == [PIECE_BYTES, PIECE_BYTES, 150_000 - 2 * PIECE_BYTES]
    Plain().finish()
