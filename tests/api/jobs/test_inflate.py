"""Gzip, in bounded pieces."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from itertools import chain, islice, repeat

import pytest

from api.errors import InvalidInputError
from api.jobs.inflate import OVERHEAD_BYTES, PIECE_BYTES, Gunzip, Plain


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


def endless_name() -> Iterator[bytes]:
    yield bytes.fromhex("1f8b0808000000000003")  # RFC 1952: a name follows, up to a zero
    yield from repeat(b"n" * PIECE_BYTES)


@pytest.mark.parametrize("stream", [endless_name(), repeat(gzip.compress(b"") * 3000)])
def test_a_stream_that_holds_nothing_is_refused_soon(stream: Iterator[bytes]) -> None:
    inflate, most = Gunzip(), 2 * OVERHEAD_BYTES // PIECE_BYTES
    plain = chain.from_iterable(inflate.feed(piece) for piece in islice(stream, most))
    with pytest.raises(InvalidInputError, match="longer than what it unpacks to"):
        any(plain)  # nothing comes out


def test_many_small_files_and_what_cannot_be_packed_are_no_empty_stream() -> None:
    inflate, text = Gunzip(), os.urandom(4 * OVERHEAD_BYTES)
    packed = gzip.compress(text) + gzip.compress(text[:100]) * 20_000
    assert len(packed) > len(text) + 100 * 20_000
    pieces = (packed[at : at + PIECE_BYTES] for at in range(0, len(packed), PIECE_BYTES))
    found = sum(len(plain) for piece in pieces for plain in inflate.feed(piece))
    assert found == len(text) + 100 * 20_000
    inflate.finish()


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
