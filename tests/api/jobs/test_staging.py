"""What was read is kept while the next is read, all of it or an error."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api.errors import StorageFullError
from api.jobs.draft import Load
from api.jobs.staging import Staging

pytestmark = pytest.mark.anyio
JOB = "0" * 32


class Shelf:
    """Keeps loads when it is let to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun: list[int] = []
        self.asked = asyncio.Event()
        self.kept: list[int] = []
        self.open = asyncio.Event()
        self._error = error

    async def stage(self, job_id: str, load: Load) -> None:
        assert job_id == JOB
        self.begun.append(load.number)
        self.asked.set()
        await self.open.wait()
        if self._error is not None:
            raise self._error
        self.kept.append(load.number)


def load(number: int) -> Load:
    return Load([(0, 0, b"text")], {}, number)


def staging(shelf: Any) -> Staging:
    return Staging(shelf, JOB)


async def broken_off(shelf: Shelf) -> None:
    async with staging(shelf) as kept:
        await kept.begin(load(1))
        await shelf.asked.wait()
        raise ValueError("broken")


async def test_reading_goes_on_while_one_load_is_kept_and_waits_for_it_with_the_next() -> None:
    shelf = Shelf()
    async with staging(shelf) as kept:
        await kept.begin(load(1))
        await shelf.asked.wait()
        second = asyncio.create_task(kept.begin(load(2)))
        await asyncio.sleep(0.01)
        assert (second.done(), shelf.begun, shelf.kept) == (False, [1], [])
        shelf.open.set()
        await second
    assert shelf.kept == [1, 2]


async def test_the_end_waits_for_the_last_load_and_tells_what_became_of_it() -> None:
    shelf = Shelf(StorageFullError())
    shelf.open.set()
    with pytest.raises(StorageFullError):
        async with staging(shelf) as kept:
            await kept.begin(load(1))


async def test_an_upload_that_breaks_off_keeps_nothing_more() -> None:
    shelf = Shelf()
    with pytest.raises(ValueError, match="broken"):
        await broken_off(shelf)
    shelf.open.set()
    await asyncio.sleep(0.01)
    assert shelf.kept == []


async def test_nothing_to_keep_is_not_sent() -> None:
    shelf = Shelf()
    async with staging(shelf) as kept:
        await kept.begin(Load([], {}, 1))
    assert shelf.begun == []
