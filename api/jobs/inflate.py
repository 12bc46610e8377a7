"""Takes gzip off a stream, never more than a bounded piece at a time: a small body can hold a very long one."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from api.errors import InvalidInputError

PIECE_BYTES: Final = 64 * 1024
# Headers and empty members are bytes that hold nothing. Gzip itself adds 18 bytes and 0.03 % to what it cannot shrink.
MOST_PACKED: Final = 2  # times the plain bytes
SLACK_BYTES: Final = 1024 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS  # zlib's number for a gzip header


class Gunzip:
    """`feed` gives the plain pieces of what arrived; `finish` raises when the end is missing."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._begun = False
        self._packed_bytes = 0
        self._plain_bytes = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Plain pieces of at most 64 KiB. Raises InvalidInputError for what is no gzip, or holds hardly anything."""
        self._packed_bytes += len(piece)
        while piece:
            if self._member.eof:  # gzip files may be joined end to end
                self._member = zlib.decompressobj(_GZIP)
            self._begun = True
            try:
                plain = self._member.decompress(piece, PIECE_BYTES)
            except zlib.error:
                raise InvalidInputError(
                    "the body is not what Content-Encoding: gzip promises; send it plain or compress it with gzip"
                ) from None
            self._plain_bytes += len(plain)
            yield plain
            piece = self._member.unconsumed_tail or self._member.unused_data
        if self._packed_bytes > MOST_PACKED * self._plain_bytes + SLACK_BYTES:
            raise InvalidInputError(
                f"the gzip stream has {self._packed_bytes:,} bytes and holds {self._plain_bytes:,}; compress the job as one"
                " file"
            )

    def finish(self) -> None:
        """Raises InvalidInputError when the stream was cut off."""
        if self._begun and not self._member.eof:
            raise InvalidInputError("the gzip stream ends too early; send it again")


class Plain:
    """What does not come compressed, in pieces as bounded as those of `Gunzip`."""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The piece in parts of at most 64 KiB."""
        for start in range(0, len(piece), PIECE_BYTES):
            yield piece[start : start + PIECE_BYTES]

    def finish(self) -> None:
        """Nothing can be missing."""
