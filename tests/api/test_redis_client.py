from __future__ import annotations

import pytest

from api.redis_client import open_redis


@pytest.mark.anyio
async def test_a_unix_socket_is_opened_as_an_address_is(redis_unix_url: str) -> None:
    async with open_redis(redis_unix_url) as redis:
        assert await redis.set("over", "a socket")
        assert await redis.get("over") == b"a socket"
