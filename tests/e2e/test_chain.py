"""The chain's door with real processes: many nodes, several front ends and oracles, crashes and restarts."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from api.chain.digests import Digests
from scripts.chain_node import Address, ask
from scripts.chain_round import Chain, OracleEnd, Pattern
from scripts.chain_scanner import scan, signed
from scripts.make_chain_key import make
from scripts.simulate_chain import oracle_at, play
from tests.e2e.service import HASH_KEY, Process, RunningService, free_port

pytestmark = pytest.mark.e2e
BLOCKS = int(os.environ.get("CHAIN_SOAK_BLOCKS", "200"))
CALLERS = 1000
TYPED = (65, 120, 65, 3, 14)
# An answer comes within 1.5 seconds or not at all; the last is what a front end says that could not send in time.
ABSTENTIONS = ("DEADLINE_EXCEEDED", "OVERLOADED", "QUEUE_UNAVAILABLE")
HISTORY_KEYS = "biometrics:history:*"


def key(directory: Path, oracle_id: int) -> dict[str, str]:
    path = directory / f"{oracle_id}.key"
    make(path)
    return {"CHAIN_KEY_FILE": str(path), "CHAIN_ORACLE_ID": str(oracle_id)}


@pytest.fixture
def chain_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """Redis and a front end of oracle 1; a test starts the rest."""
    directory = tmp_path_factory.mktemp("chain")
    running = RunningService(directory, **key(directory, 1))
    try:
        running.redis()
        running.api()
        yield running
    finally:
        running.stop()


def address(service: RunningService) -> Address:
    return Address("127.0.0.1", service.port)


def second_front_end(service: RunningService, **environment: str) -> Address:
    port = free_port()
    service.api(PORT=str(port), **environment)
    there = Address("127.0.0.1", port)
    body = Pattern("0x" + "0" * 64, TYPED).body()
    service.wait_for(lambda: asyncio.run(ask(there, body)) is not None, "it answers")
    return there


def lengths(service: RunningService) -> list[int]:
    with Redis.from_url(service.redis_url) as redis:
        return [int(redis.llen(name)) for name in redis.scan_iter(HISTORY_KEYS)]


def figure(service: RunningService, port: int, name: str) -> float:
    service.port, before = port, service.port
    text = service.get("/metrics")[1]
    service.port = before
    return float(next(line for line in text.splitlines() if line.startswith(name)).split()[-1])


def signed_lines(replies: set[tuple[int, bytes] | None]) -> dict[str, set[bytes]]:
    """What was signed for each DID. Anything else in the replies is an abstention of a machine that is too slow."""
    given: dict[str, set[bytes]] = {}
    for reply in replies:
        for line in [] if reply is None else reply[1].splitlines():
            read = scan(line)
            if read is None:
                assert json.loads(line)["error_code"] in ABSTENTIONS, line
                continue
            assert signed(read), line
            given.setdefault(f"0x{read.did.hex()}", set()).add(line)
    return given


def test_a_thousand_callers_with_ten_patterns_cause_ten_inferences_and_ten_history_entries(
    chain_service: RunningService,
) -> None:
    chain_service.worker()
    chain_service.worker()
    chain_service.wait_healthy()
    ends = (address(chain_service), second_front_end(chain_service))
    patterns = [Pattern(f"0x{n + 1:064x}", TYPED) for n in range(10)]
    body = b"[" + b",".join(pattern.body() for pattern in patterns) + b"]"

    async def call() -> list[tuple[int, bytes] | None]:
        calls = (ask(ends[n % 2], body, seconds=60) for n in range(CALLERS))
        return await asyncio.gather(*calls)

    replies = set(asyncio.run(call()))
    given = signed_lines(replies)
    assert sorted(given) == [pattern.did for pattern in patterns]
    assert [len(lines) for lines in given.values()] == [1] * 10, given
    scored = sum(figure(chain_service, end.port, "biometrics_chain_scored_total") for end in ends)
    assert scored == 10
    chain_service.wait_for(lambda: lengths(chain_service) == [1] * 10, "ten entries")
    chain_service.wait_for(
        lambda: chain_service.get("/stats")[1]["performance"]["total_predictions"] == 10,
        "the figures are written",
    )


def test_a_front_end_killed_between_scoring_and_storing_leaves_one_answer_and_one_entry(
    chain_service: RunningService,
) -> None:
    worker = chain_service.worker()
    doomed_port = free_port()
    doomed = chain_service.api(PORT=str(doomed_port))
    chain_service.wait_healthy()
    pattern = Pattern("0x" + "ab" * 32, TYPED)
    worker.signal(signal.SIGSTOP)
    asking = threading.Thread(
        target=lambda: asyncio.run(ask(Address("127.0.0.1", doomed_port), pattern.body()))
    )
    asking.start()
    with Redis.from_url(chain_service.redis_url) as redis:
        chain_service.wait_for(lambda: redis.keys("biometrics:chain:lock:*") != [], "it is asked")
    time.sleep(0.1)  # the message is on its way
    doomed.signal(signal.SIGKILL)
    doomed.wait()
    worker.signal(signal.SIGCONT)
    asking.join()
    chain_service.wait_for(lambda: lengths(chain_service) == [1], "the worker has recorded it")
    replies = [asyncio.run(ask(address(chain_service), pattern.body())) for _ in range(5)]
    given = [reply[1] for reply in replies if reply is not None and reply[0] == 200]
    assert len(set(given)) == 1
    nothing = hashlib.blake2b(digest_size=32).hexdigest()
    assert json.loads(given[0])["history"] == "0x" + Digests(HASH_KEY).history(nothing)
    time.sleep(0.3)
    assert lengths(chain_service) == [1]


def kept(service: RunningService) -> bytes:
    """All that the server has written to its append-only file."""
    files = [path for path in service.directory.rglob("*aof*") if path.is_file()]
    return b"".join(path.read_bytes() for path in files)


def test_the_did_stands_nowhere_in_the_store(chain_service: RunningService) -> None:
    chain_service.worker()
    chain_service.wait_healthy()
    pattern = Pattern("0x" + "5eed" * 16, TYPED)

    def answered() -> bool:
        reply = asyncio.run(ask(address(chain_service), pattern.body()))
        return reply is not None and reply[0] == 200

    chain_service.wait_for(answered, "it is answered in time")
    chain_service.wait_for(lambda: lengths(chain_service) == [1], "it is recorded")
    # The server holds its file back while the disk is busy with what came before.
    names = (b"biometrics:history:", b"biometrics:chain:verdict:", b"biometrics:chain:answer:")
    chain_service.wait_for(
        lambda: all(name in kept(chain_service) for name in names), "all of it is in the file"
    )
    written = kept(chain_service)
    assert b"5eed" * 16 not in written.lower()
    assert bytes.fromhex("5eed" * 16) not in written
    assert "5eed" * 16 not in chain_service.logs().lower()


def test_to_abstain_is_no_200_without_a_model_and_without_the_required_history(
    chain_service: RunningService,
) -> None:
    body = Pattern("0x" + "ab" * 32, TYPED).body()
    demanding = second_front_end(chain_service, CHAIN_REQUIRE_HISTORY="3")
    without = asyncio.run(ask(demanding, body))
    assert without is not None
    assert (without[0], json.loads(without[1])["error_code"]) == (503, "MODEL_NOT_LOADED")
    chain_service.worker()
    chain_service.wait_healthy()
    reply = asyncio.run(ask(demanding, body))
    assert reply is not None
    assert (reply[0], json.loads(reply[1])["error_code"]) == (409, "HISTORY_REQUIRED")
    assert lengths(chain_service) == []


class Restarts:
    """Replaces a service's worker in some of the rounds, killed or told to end."""

    def __init__(self, service: RunningService, worker: Process) -> None:
        self.service = service
        self.worker = worker
        self.count = 0
        self._signals = itertools.cycle((signal.SIGTERM, signal.SIGKILL))

    def __call__(self) -> None:
        time.sleep(0.2)  # what was answered is recorded by then
        self.worker.signal(next(self._signals))
        self.worker.wait()
        self.worker = self.service.worker()
        self.count += 1


class RestartingChain(Chain):
    """A chain during whose rounds workers come and go."""

    def __init__(self, oracles: list[OracleEnd], nodes: int, restarts: list[Restarts]) -> None:
        super().__init__(oracles, nodes)
        self._restarts = restarts

    async def round(self, block: int) -> Any:
        if block % 100 == 50:
            for restart in self._restarts:
                await asyncio.to_thread(restart)
        found = await super().round(block)
        if found.unanswered:
            await asyncio.sleep(0.5)  # a chain would wait for its next ten blocks
        return found


def test_nodes_and_oracles_agree_for_hundreds_of_blocks_while_workers_are_replaced(
    chain_service: RunningService, tmp_path: Path
) -> None:
    apart = RunningService(tmp_path, **key(tmp_path, 3))
    try:
        apart.redis()
        apart.api()
        restarts = [Restarts(each, each.worker()) for each in (chain_service, apart)]
        chain_service.wait_healthy()
        apart.wait_healthy()
        ends = (address(chain_service), second_front_end(chain_service))
        other = second_front_end(chain_service, **key(tmp_path, 2), CHAIN_GENESIS_HASH="91" * 32)
        urls = [",".join(f"http://{end.host}:{end.port}" for end in ends)]
        urls += [f"http://{end.host}:{end.port}" for end in (other, address(apart))]
        chain = RestartingChain([oracle_at(url) for url in urls], 3, restarts)
        arguments = argparse.Namespace(blocks=BLOCKS, block_seconds=0.0)
        arguments.people, arguments.patterns, arguments.seed = 60, 10, 5
        faults = asyncio.run(play(chain, arguments))
    finally:
        apart.stop()
    assert [fault for each in chain.rounds for fault in each.faults] == []
    assert faults == 0
    assert sum(each.settled for each in chain.rounds) >= BLOCKS // 2
    assert all(restart.count == BLOCKS // 100 for restart in restarts)
