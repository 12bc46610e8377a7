"""Entries as a job's worker hands them over."""

from __future__ import annotations

from collections.abc import Sequence

from worker.history import Entry


def by_did(entries: Sequence[Entry]) -> list[tuple[str, list[bytes]]]:
    """The entries by DID, as `History.enter_once` takes them."""
    found: dict[str, list[bytes]] = {}
    for entry in entries:
        packed = b"%d%b" % (entry.founding, entry.pattern.pack())
        found.setdefault(entry.did_hash, []).append(packed)
    return list(found.items())
