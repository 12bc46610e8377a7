"""Cuts a stream of bytes into its items: the lines of NDJSON, or the elements of one JSON list.

Nothing is parsed but where items begin and end, so that memory holds one item at a time however long the body is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from api.errors import InvalidInputError

_WHITE: Final = b" \t\r\n"
_BOUNDARY: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],"]', re.DOTALL)


class Item(NamedTuple):  # made a million times, and faster so than a dataclass
    """One item's bytes and its line, counted from 1; in a list the line is the item's place in it."""

    line: int
    text: bytes
    too_long: bool = False


class Splitter:
    """`feed` gives what is complete; `finish` gives the rest. Raises InvalidInputError for a broken list.

    An item may have `item_bytes`; of a longer one only the place is given.
    """

    def __init__(self, item_bytes: int) -> None:
        self._item_bytes = item_bytes
        self._form: _Lines | _List | None = None
        self._blank = 0  # lines before the first item

    def feed(self, piece: bytes) -> Iterator[Item]:
        """The items that this piece completes."""
        if self._form is None:
            begun = piece.lstrip(_WHITE + b"\xef\xbb\xbf")
            self._blank += piece.count(b"\n", 0, len(piece) - len(begun))
            if not begun:
                return iter(())
            if begun[:1] == b"[":
                self._form = _List(begun[1:], self._item_bytes)
            else:
                self._form = _Lines(begun, self._item_bytes, self._blank)
            return self._form.items()
        self._form.buffer += piece
        return self._form.items()

    def finish(self) -> Iterator[Item]:
        """The last item, where no line break ends it."""
        return iter(()) if self._form is None else self._form.rest()


class _Lines:
    def __init__(self, buffer: bytes, item_bytes: int, line: int) -> None:
        self.buffer = buffer
        self._item_bytes = item_bytes
        self._line = line
        self._skipping = False

    def items(self) -> Iterator[Item]:
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            item = self._item(line)
            if item is not None:
                yield item
        if len(self.buffer) > self._item_bytes:
            if not self._skipping:
                yield Item(self._line + 1, b"", too_long=True)
            self._skipping, self.buffer = True, b""

    def rest(self) -> Iterator[Item]:
        item, self.buffer = self._item(self.buffer), b""
        return iter(() if item is None else (item,))

    def _item(self, line: bytes) -> Item | None:
        self._line += 1
        if self._skipping:
            self._skipping = False
        elif len(line) > self._item_bytes:
            return Item(self._line, b"", too_long=True)
        elif line.strip(_WHITE):
            return Item(self._line, line)
        return None


class _List:
    def __init__(self, buffer: bytes, item_bytes: int) -> None:
        self.buffer = buffer
        self._item_bytes = item_bytes
        self._number = 0
        self._ended = False
        self._scanned = 0  # where in the buffer the scan goes on
        self._depth = 0

    def items(self) -> Iterator[Item]:
        begin = 0
        while not self._ended:
            found = _BOUNDARY.search(self.buffer, self._scanned)
            if found is None or found[0] == b'"':
                break  # nothing more, or a string whose end has not come yet
            mark = found[0]
            if mark in (b"{", b"["):
                self._depth += 1
            elif mark in (b"}", b"]") and self._depth:
                self._depth -= 1
            elif self._depth == 0 and mark in (b",", b"]"):
                yield from self._one(self.buffer[begin : found.start()], last=mark == b"]")
                begin = found.end()
                self._ended = mark == b"]"
            self._scanned = found.end()
        self.buffer = self.buffer[begin:]
        self._scanned -= begin
        if self._ended and self.buffer.strip(_WHITE):
            raise InvalidInputError("something follows the end of the list; send one list")
        if len(self.buffer) > 2 * self._item_bytes:
            raise InvalidInputError(
                f"item {self._number} is longer than {self._item_bytes:,} bytes"
            )

    def rest(self) -> Iterator[Item]:
        if not self._ended:
            raise InvalidInputError("the list does not end: its ']' is missing")
        return iter(())

    def _one(self, text: bytes, *, last: bool) -> Iterator[Item]:
        if last and self._number == 0 and not text.strip(_WHITE):
            return
        self._number += 1
        yield Item(self._number, text, too_long=len(text) > self._item_bytes)
