"""Whether a worker with a model answers: asked through the queue itself, at most once a second, for all who ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from api.errors import ApiError
from api.ports import Scoring
from worker.contract import ProbeAnswer

FRESH_SECONDS = 1.0


class Health:
    """The last probe's outcome, renewed when it is asked for and older than a second."""

    def __init__(self, scoring: Scoring, monotonic: Callable[[], float]) -> None:
        self._scoring = scoring
        self._monotonic = monotonic
        self._began = monotonic()
        self._probe: asyncio.Task[ProbeAnswer | ApiError] | None = None
        self._probed_at = self._began

    @property
    def uptime_seconds(self) -> int:
        """Whole seconds since this front end was made."""
        return int(self._monotonic() - self._began)

    async def current(self) -> ProbeAnswer | ApiError:
        """What a worker says of itself, or why none does. Callers that ask together share one probe."""
        if self._probe is None or self._is_stale(self._probe):
            self._probe = asyncio.create_task(self._ask())
        # A caller that leaves must not take the others' probe with it.
        return await asyncio.shield(self._probe)

    def _is_stale(self, probe: asyncio.Task[ProbeAnswer | ApiError]) -> bool:
        return probe.done() and self._monotonic() - self._probed_at >= FRESH_SECONDS

    async def _ask(self) -> ProbeAnswer | ApiError:
        try:
            return await self._scoring.probe()
        except ApiError as error:
            return error
        finally:
            self._probed_at = self._monotonic()
