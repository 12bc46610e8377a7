"""Names become addresses in threads of their own."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from api.jobs.resolver import LOOK_UPS_AT_ONCE, Resolver

pytestmark = pytest.mark.anyio


async def test_an_address_is_its_own_and_comes_once() -> None:
    resolver = Resolver()
    assert await resolver.look_up("127.0.0.1", 443) == ["127.0.0.1"]
    resolver.close()


async def test_a_name_server_that_hangs_leaves_the_services_other_threads_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        answer.wait()
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    resolver = Resolver()
    asked = [
        asyncio.create_task(resolver.look_up("slow.example.org", 443))
        for _ in range(LOOK_UPS_AT_ONCE + 32)
    ]
    await asyncio.sleep(0)
    assert await asyncio.to_thread(lambda: "done") == "done"
    resolver.close()
    answer.set()
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(end, OSError | asyncio.CancelledError) for end in ends)
