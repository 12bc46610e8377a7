"""The histories of a chunk's DIDs, as they grow while the chunk is scored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.sessions import NUMBERS
from worker.history import FORMAT, RECORD_BYTES, History

_RECORD = np.dtype(
    [("format", "u1"), ("seconds", "<u4"), ("features", "<f4", NUMBERS), ("hour", "u1")]
)
DIDS_A_READ = 1000


class Pasts:
    """D histories of up to K patterns, newest first; a DID is its number in `did_hashes`. None stands for nobody."""

    def __init__(self, history: History, did_hashes: Sequence[str | None], growth: int) -> None:
        """Reads what is recorded; `growth` is how many patterns a DID can gain. Raises HistoryUnavailableError."""
        found = _read(history, did_hashes)
        longest = max((len(each) for each in found), default=0)
        self._length = min(history.length, longest + growth)
        self.counts = np.zeros(len(found), dtype=np.int64)  # (D,)
        self._patterns = np.zeros((len(found), self._length, NUMBERS))  # (D, K, 4)
        for number, patterns in enumerate(found):
            self.counts[number] = len(patterns)
            self._patterns[number, : len(patterns)] = patterns

    def of(self, dids: NDArray[np.int64], width: int = 0) -> NDArray[np.float64]:
        """The histories (B, K', 4) of these DIDs, K' being at least `width` and the longest of them."""
        longest = int(self.counts[dids].max(initial=0))
        found = np.zeros((len(dids), max(width, longest), NUMBERS))
        found[:, :longest] = self._patterns[dids, :longest]
        return found

    def append(self, dids: NDArray[np.int64], patterns: NDArray[np.float64]) -> None:
        """Give each of these different DIDs one newest pattern (B, 4), as it will be read back from the store."""
        older = self._patterns[dids, :-1]
        self._patterns[dids, 1:] = older
        self._patterns[dids, 0] = patterns.astype(np.float32)
        self.counts[dids] = np.minimum(self.counts[dids] + 1, self._length)


def _read(history: History, did_hashes: Sequence[str | None]) -> list[NDArray[np.float64]]:
    named = [each for each in did_hashes if each is not None]
    records: dict[str, list[bytes]] = {}
    for start in range(0, len(named), DIDS_A_READ):
        some = named[start : start + DIDS_A_READ]
        records |= zip(some, history.records(some), strict=True)
    return [_decoded(records.get(each or "", [])) for each in did_hashes]


def _decoded(records: list[bytes]) -> NDArray[np.float64]:
    whole = b"".join(each for each in records if len(each) == RECORD_BYTES and each[0] == FORMAT)
    features = np.frombuffer(whole, dtype=_RECORD)["features"].astype(np.float64)
    return np.asarray(features[np.isfinite(features).all(axis=1)])
