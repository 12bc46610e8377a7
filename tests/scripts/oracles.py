"""Oracles that answer by rule, right or wrong, on a real socket."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from api.chain.answer import Signer, whole
from api.chain.keys import SigningKey
from api.chain.question import Question
from api.chain.verdict import Verdict
from scripts.chain_node import Address
from scripts.chain_round import OracleEnd
from tests.api.chain.questions import reader

Rule = Callable[[Question], tuple[int, int]]  # score and serial


class FakeOracle:
    """Keeps each answer, unless it is `forgetful`. `heard` are the requests' heads."""

    def __init__(self, number: int, rule: Rule, *, forgetful: bool = False) -> None:
        self.key = SigningKey(bytes([number + 1]) * 32)
        self.signer = Signer(self.key, number, b"")
        self.rule = rule
        self.forgetful = forgetful
        self.status = b"200 OK"
        self.heard: list[bytes] = []
        self._kept: dict[str, bytes] = {}

    def answer(self, asked: Question) -> bytes:
        if self.forgetful or asked.digest not in self._kept:
            score, serial = self.rule(asked)
            verdict = Verdict(score, int(time.time()), "ab" * 8, "cd" * 8, serial)
            self._kept[asked.digest] = whole(asked, self.signer.answer(asked, verdict))
        return self._kept[asked.digest]

    async def serve(self, reader_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(await reader_.readuntil(b"\r\n\r\n"))
        body = b""
        while length := int(await reader_.readline(), 16):
            body += (await reader_.readexactly(length + 2))[:-2]
        asked = reader().read(body)
        assert isinstance(asked, Question)
        content = self.answer(asked) if self.status.startswith(b"200") else json.dumps({}).encode()
        writer.write(b"HTTP/1.1 " + self.status + b"\r\ncontent-type: x\r\n\r\n" + content)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening(*oracles: FakeOracle) -> AsyncIterator[list[OracleEnd]]:
    """The oracles as a chain knows them."""
    servers = [await asyncio.start_server(each.serve, "127.0.0.1", 0) for each in oracles]
    ends = [
        OracleEnd((Address("127.0.0.1", server.sockets[0].getsockname()[1]),), oracle.key.public)
        for server, oracle in zip(servers, oracles, strict=True)
    ]
    yield ends
    for server in servers:
        server.close()


def steady(question: Question) -> tuple[int, int]:
    """A score and a serial that follow from the question."""
    return question.features[0] % 101, int(question.digest[:12], 16)


def jittering() -> Rule:
    """A score that moves by one each time."""
    numbers = itertools.count()
    return lambda question: ((steady(question)[0] + next(numbers)) % 101, steady(question)[1])
