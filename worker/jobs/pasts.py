"""The histories of a chunk's DIDs, as they grow while the chunk is scored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.history import History
from worker.records import RICH, SUMMARY, Records, decode

DIDS_A_READ = 1000


class Pasts:
    """D histories of up to K records, newest first; a DID is its number in `did_hashes`. None stands for nobody."""

    def __init__(
        self, history: History, did_hashes: Sequence[str | None], growth: int, *, rich: bool
    ) -> None:
        """Reads what is recorded; `growth` is how many patterns a DID can gain, `rich` whether any may be rich.

        Raises HistoryUnavailableError.
        """
        blocks = _read(history, did_hashes)
        longest = max((records.shape[1] for _, records, _ in blocks), default=0)
        wide = rich or any(records.dtype == RICH for _, records, _ in blocks)
        self._length = min(history.length, longest + growth)
        self.counts = np.zeros(len(did_hashes), dtype=np.int64)  # (D,)
        self._records = np.zeros((len(did_hashes), self._length), RICH if wide else SUMMARY)
        for dids, records, counts in blocks:
            self.counts[dids] = counts
            for name in records.dtype.names or ():
                self._records[name][dids, : records.shape[1]] = records[name]
        self.stood = self.counts > 0  # (D,): whose history is older than this chunk

    def of(self, dids: NDArray[np.int64]) -> Records:
        """The histories (B, K') of these DIDs, K' being the longest of them."""
        longest = int(self.counts[dids].max(initial=0))
        return self._records[dids, :longest]

    @property
    def dtype(self) -> np.dtype[np.void]:
        """Of the records: RICH where any is, or may become, rich."""
        dtype: np.dtype[np.void] = self._records.dtype
        return dtype

    def append(self, dids: NDArray[np.int64], newest: Records) -> None:
        """Give each of these different DIDs one newest record, as it will be read back from the store."""
        counts = np.minimum(self.counts[dids] + 1, self._length)
        longest = int(counts.max())
        older = self._records[dids, : longest - 1]
        self._records[dids, 1:longest] = older
        self._records[dids, 0] = newest
        self.counts[dids] = counts


def _read(
    history: History, did_hashes: Sequence[str | None]
) -> list[tuple[NDArray[np.int64], Records, NDArray[np.int64]]]:
    """By some DIDs at a time: their numbers, their records, and how many of those count."""
    named = [(number, each) for number, each in enumerate(did_hashes) if each is not None]
    blocks = []
    for start in range(0, len(named), DIDS_A_READ):
        some = named[start : start + DIDS_A_READ]
        found = history.records([each for _, each in some])
        blocks.append((np.array([number for number, _ in some]), *decode(found)))
    return blocks
