"""Takes gzip off a stream, never more than a bounded piece at a time: a small body can hold a very long one."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from api.errors import InvalidInputError

PIECE_BYTES: Final = 64 * 1024
OVERHEAD_BYTES: Final = 1024 * 1024  # gzip adds 20 bytes or so to a file, and five to each 64 KiB
_GZIP: Final = 16 + zlib.MAX_WBITS  # zlib's number for a gzip header


class Gunzip:
    """`feed` gives the plain pieces of what arrived; `finish` raises when the end is missing."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._begun = False
        self._gained_bytes = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Plain pieces of at most 64 KiB.

        Raises InvalidInputError for what is no gzip, and for what unpacks to less than it is: a header or empty files
        without an end would pass by every bound on the plain text.
        """
        self._gained_bytes -= len(piece)
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
            self._gained_bytes += len(plain)
            yield plain
            piece = self._member.unconsumed_tail or self._member.unused_data
        if self._gained_bytes < -OVERHEAD_BYTES:
            raise InvalidInputError(
                f"the gzip stream is more than {OVERHEAD_BYTES:,} bytes longer than what it unpacks to; send it plain"
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
