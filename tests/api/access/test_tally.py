from __future__ import annotations

import asyncio

import pytest

from api.access.tally import LEASES_IN_A_LIMIT, Tally

pytestmark = pytest.mark.anyio


class Shared:
    """The counter behind several tallies; `failing` makes it a store that is down."""

    def __init__(self) -> None:
        self.sum = 0
        self.asked: list[int] = []
        self.failing = False

    async def add(self, amount: int) -> int:
        self.asked.append(amount)
        await asyncio.sleep(0)
        if self.failing:
            raise ConnectionError
        self.sum += amount
        return self.sum


async def number(tally: Tally) -> int:
    return tally.take() if tally.ready else await tally.wait()


async def test_a_low_limit_is_counted_one_by_one() -> None:
    shared = Shared()
    tally = Tally(0, 2 * LEASES_IN_A_LIMIT - 1, shared.add)
    assert [await number(tally) for _ in range(3)] == [1, 2, 3]
    assert shared.asked == [1, 1, 1]


async def test_a_high_limit_costs_one_round_trip_for_many_numbers() -> None:
    shared = Shared()
    tally = Tally(0, 50 * LEASES_IN_A_LIMIT, shared.add)
    assert [await number(tally) for _ in range(100)] == list(range(1, 101))
    assert shared.asked == [50, 50]


async def test_who_waits_at_the_same_moment_shares_a_round_trip() -> None:
    shared = Shared()
    tally = Tally(0, 10, shared.add)
    numbers = await asyncio.gather(*(number(tally) for _ in range(20)))
    assert sorted(numbers) == list(range(1, 21))
    assert shared.asked == [20]


async def test_no_number_is_given_out_twice_by_any_front_end() -> None:
    shared = Shared()
    tallies = [Tally(0, 7 * LEASES_IN_A_LIMIT, shared.add) for _ in range(3)]
    numbers = [await number(tallies[turn % 3]) for turn in range(100)]
    assert len(set(numbers)) == 100
    assert max(numbers) <= 100 + 3 * 7  # what is leased and not given out


async def test_who_gives_up_waiting_costs_nobody_else_a_number() -> None:
    shared = Shared()
    tally = Tally(0, 10, shared.add)
    gone, stays = tally.wait(), tally.wait()
    gone.cancel()
    assert await stays == 1
    assert await number(tally) == 2


async def test_everyone_who_waits_hears_of_a_store_that_fails_and_the_next_asks_again() -> None:
    shared = Shared()
    shared.failing = True
    tally = Tally(0, 10, shared.add)
    heard = await asyncio.gather(*(number(tally) for _ in range(5)), return_exceptions=True)
    assert [type(error) for error in heard] == [ConnectionError] * 5
    shared.failing = False
    assert await number(tally) == 1


async def test_what_is_left_of_a_lease_is_given_out_before_more_is_fetched() -> None:
    shared = Shared()
    tally = Tally(0, 50 * LEASES_IN_A_LIMIT, shared.add)
    assert await number(tally) == 1
    waits = [tally.wait() for _ in range(60)]  # who did not see that a lease had come
    assert await asyncio.gather(*waits) == list(range(2, 62))
    assert shared.asked == [50, 50]
