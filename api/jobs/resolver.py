"""Looks up names in threads of its own: a name server that hangs keeps nothing waiting but callbacks."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Final

LOOK_UPS_AT_ONCE: Final = 8  # as many as there are calls


class Resolver:
    """The system's own resolver. It makes no thread before the first look-up."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOK_UPS_AT_ONCE, "look-up")

    async def look_up(self, host: str, port: int) -> list[str]:
        """The addresses of a name. Raises OSError, and UnicodeError for what is no name."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _addresses, host, port)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Wait for nothing that is still being looked up."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]
