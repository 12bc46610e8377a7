"""Keeps what was read while the next is being read."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from api.jobs.draft import Load
from api.jobs.store import JobStore


class Staging:
    """One upload's loads, one at a time: compressing one and sending it takes as long as reading the next.

    At the end of the block all is kept, or the block raises what `JobStore.stage` raised.
    """

    def __init__(self, store: JobStore, job_id: str) -> None:
        self._store = store
        self._job_id = job_id
        self._going: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            await self._ended()
        elif self._going is not None:
            self._going.cancel()
            await asyncio.gather(self._going, return_exceptions=True)

    async def begin(self, load: Load) -> None:
        """Keep this once the one before it is kept. Raises what that one raised."""
        await self._ended()
        self._going = asyncio.create_task(self._keep(load))

    async def _ended(self) -> None:
        if self._going is not None:
            await self._going
            self._going = None

    async def _keep(self, load: Load) -> None:
        if load.fragments or load.broken:
            await self._store.stage(self._job_id, await asyncio.to_thread(load.compressed))
