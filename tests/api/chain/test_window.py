"""The store of answers, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from api.chain.verdict import Verdict
from api.chain.window import LOCK_MS, SERIAL_KEY, Stored, Taken, Window, Yours
from api.errors import QueueUnavailableError
from api.redis_client import open_redis
from tests.api.chain.questions import DID, question
from tests.api.front import DEAD_REDIS

pytestmark = pytest.mark.anyio
NOW = 1_800_000_000.25
ASKED = question()
MODEL, HISTORY = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = open_redis(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.fixture
def window(redis: Redis) -> Window:
    return Window(redis, 1, 60)


async def settled(window: Window, score: int = 87, now: float = NOW) -> Verdict:
    return await window.settle(ASKED, score, MODEL, HISTORY, now)


async def test_the_first_who_asks_scores_and_the_others_wait(window: Window, redis: Redis) -> None:
    claims = [await window.claim(ASKED, token) for token in ("first", "second")]
    assert [type(claim) for claim in claims] == [Yours, Taken]
    assert isinstance(await Window(redis, 2, 60).claim(ASKED, "third"), Taken)


async def test_a_claim_whose_reply_was_lost_does_not_wait_for_its_own_lock(window: Window) -> None:
    for _ in range(2):
        assert isinstance(await window.claim(ASKED, "first"), Yours)
    assert isinstance(await window.claim(ASKED, "second"), Taken)


async def test_only_the_owner_ends_a_lock_before_its_time(window: Window, redis: Redis) -> None:
    await window.claim(ASKED, "first")
    await window.release(ASKED, "second")
    assert isinstance(await window.claim(ASKED, "second"), Taken)
    await window.release(ASKED, "first")
    assert isinstance(await window.claim(ASKED, "second"), Yours)
    (lock,) = await redis.keys("*lock*")
    assert 0 < await redis.pttl(lock) <= LOCK_MS


async def test_of_two_verdicts_the_first_holds_for_both_storers(window: Window) -> None:
    first = await settled(window, 87)
    assert await settled(window, 12, NOW + 5) == first
    assert (first.score, first.timestamp, first.model) == (87, int(NOW), MODEL)
    assert await window.claim(ASKED, "next") == first


async def test_of_two_answers_the_first_is_given_out_by_both(window: Window) -> None:
    verdict = await settled(window)
    for rest in (b"first", b"second"):
        published = await window.publish(ASKED, verdict, rest, "token")
        assert published is not None
        assert published.rest == b"first"
    claimed = await window.claim(ASKED, "next")
    assert isinstance(claimed, Stored)
    assert claimed.rest == b"first"


async def test_two_oracles_share_the_verdict_and_have_an_answer_each(
    window: Window, redis: Redis
) -> None:
    other = Window(redis, 2, 60)
    verdict = await settled(window)
    assert await settled(other, 12) == verdict
    for each, rest in ((window, b"one"), (other, b"two")):
        published = await each.publish(ASKED, verdict, rest, "token")
        assert published is not None
        assert published.rest == rest


async def test_an_answer_whose_verdict_is_gone_is_not_published(
    window: Window, redis: Redis
) -> None:
    verdict = await settled(window)
    await redis.flushdb()
    assert await window.publish(ASKED, verdict, b"rest", "token") is None
    assert await redis.keys("*answer*") == []


async def test_the_window_ends_sixty_seconds_after_the_timestamp_for_verdict_and_answer(
    window: Window, redis: Redis
) -> None:
    verdict = await settled(window)
    published = await window.publish(ASKED, verdict, b"rest", "token")
    assert published is not None
    assert 58_000 < published.life_ms <= 59_750  # a quarter of the second was over
    for pattern in ("*verdict*", "*answer*"):
        (key,) = await redis.keys(pattern)
        assert 58_000 < await redis.pttl(key) <= 59_750


async def test_no_key_and_no_value_holds_the_did(window: Window, redis: Redis) -> None:
    await window.claim(ASKED, "token")
    await window.publish(ASKED, await settled(window), b'"confidence_score":87}', "token")
    for key in await redis.keys("*"):
        assert DID[2:].encode() not in key
        assert DID[2:].encode() not in (await redis.get(key) or b"")


async def test_serials_of_many_at_once_are_all_different_and_grow(
    window: Window, redis: Redis
) -> None:
    other = Window(redis, 2, 60)
    asked = [question(typing_speed_wpm=speed) for speed in range(5, 205)]
    verdicts = await asyncio.gather(
        *(
            (window, other)[place % 2].settle(each, 50, MODEL, HISTORY, NOW)
            for place, each in enumerate(asked)
        )
    )
    serials = {verdict.serial for verdict in verdicts}
    assert len(serials) == len(asked)
    last = await window.settle(question(typing_speed_wpm=300), 50, MODEL, HISTORY, NOW)
    assert last.serial > max(serials)


async def test_serials_go_on_where_the_server_has_lost_its_data_and_its_clock_was_set_back(
    window: Window, redis: Redis
) -> None:
    await redis.set(SERIAL_KEY, 2**52)  # as a server counts whose clock is decades ahead
    before = await settled(window)
    await redis.flushdb()
    after = await settled(window)
    assert before.serial == 2**52 + 1
    assert after.serial == 2**52 + 2


async def test_serials_go_on_where_a_front_end_was_started_anew(redis: Redis) -> None:
    first = await settled(Window(redis, 1, 60))
    await redis.delete(*(await redis.keys("*verdict*")))
    assert (await settled(Window(redis, 1, 60))).serial > first.serial


async def test_a_server_that_is_gone_is_an_error_of_its_own() -> None:
    gone = Window(open_redis(DEAD_REDIS), 1, 60)
    with pytest.raises(QueueUnavailableError):
        await gone.claim(ASKED, "token")
    with pytest.raises(QueueUnavailableError):
        await settled(gone)
