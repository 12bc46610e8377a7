"""The patterns of a chunk as columns, as the front end left them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from worker.packed import COUNT, PATTERNS_MARK, plain

PACKED = np.dtype(  # worker.packed.ROW
    [
        ("position", "<u4"),
        ("named", "?"),
        ("did", "<u8", 2),
        ("numbers", "<f8", 5),
        ("seconds", "<f8"),
    ]
)


@dataclass(frozen=True)
class JobRows:
    """N patterns. `packed` (N,) is of PACKED; `more` tells by number the history and the windows of those that have
    any."""

    packed: NDArray[np.void]
    more: Mapping[int, tuple[Any, Any]]

    def __len__(self) -> int:
        return len(self.packed)

    @property
    def windowed(self) -> bool:
        """Whether any has windows."""
        return any(windows for _, windows in self.more.values())


def rows_of(fragments: Iterable[bytes]) -> JobRows:
    """The patterns of compressed fragments, in order of time, and of position at the same time.

    Raises ValueError, TypeError, struct.error and zlib.error for what is no fragment.
    """
    parts: list[NDArray[np.void]] = []
    more: dict[int, tuple[Any, Any]] = {}
    before = 0
    for fragment in fragments:
        text = plain(PATTERNS_MARK, fragment)
        (count,) = COUNT.unpack_from(text)
        parts.append(np.frombuffer(text, PACKED, count, COUNT.size))
        rest = text[COUNT.size + count * PACKED.itemsize :]
        for place, history, windows in from_json(rest) if rest else ():
            more[before + place] = (history, windows)
        before += count
    packed = np.concatenate(parts)
    order = np.lexsort((packed["position"], packed["seconds"]))
    if more:
        place_of = np.empty_like(order)
        place_of[order] = np.arange(len(order))
        more = {int(place_of[number]): each for number, each in more.items()}
    return JobRows(packed[order], more)
