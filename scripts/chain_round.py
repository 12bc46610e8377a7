"""One round of a chain with its oracles, and what must hold between the answers of all nodes and all oracles."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field

from scripts.chain_node import Address, ask
from scripts.chain_scanner import LARGEST_ANSWER_BYTES, scan, why_refused

MOST_PENDING = 10
WINDOW_SECONDS = 60  # CHAIN_WINDOW_SECONDS unless set
NAMES = (
    "typing_speed_wpm",
    "avg_key_hold_time_ms",
    "avg_transition_time_ms",
    "error_rate_percent",
    "activity_hour_preference",
)


@dataclass(frozen=True)
class Pattern:
    """A session that waits for its score: DID as 0x and 64 digits, five whole numbers."""

    did: str
    features: tuple[int, int, int, int, int]

    def body(self) -> bytes:
        """The request as the pallet writes it."""
        features = dict(zip(NAMES, self.features, strict=True))
        return json.dumps({"did": self.did, "features": features}, separators=(",", ":")).encode()


@dataclass(frozen=True)
class OracleEnd:
    """An oracle as the chain knows it: its front ends and the public key that it trusts."""

    addresses: tuple[Address, ...]
    public_key: bytes


@dataclass
class Round:
    """What came of one round. `faults` are sentences; there should be none."""

    block: int
    asked: int = 0
    answers: int = 0
    unanswered: int = 0
    settled: int = 0
    scores: int = 0
    slowest_seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


class Chain:
    """Nodes, pending patterns, and what the chain has seen."""

    def __init__(
        self, oracles: list[OracleEnd], nodes: int, window_seconds: int = WINDOW_SECONDS
    ) -> None:
        self.oracles = oracles
        self.nodes = nodes
        self.window_seconds = window_seconds
        self.waiting: list[Pattern] = []
        self.rounds: list[Round] = []
        self._given: dict[tuple[Pattern, int], bytes] = {}  # by pattern and oracle
        self._nonces: dict[int, tuple[Pattern, int]] = {}

    def add(self, patterns: list[Pattern]) -> None:
        """New patterns wait behind the older ones."""
        self.waiting += [each for each in patterns if each not in self.waiting]

    async def round(self, block: int) -> Round:
        """Every node asks every oracle about the first ten patterns; those that everybody answered are settled."""
        found = Round(block)
        batch = self.waiting[:MOST_PENDING]
        heard = await asyncio.gather(
            *(self._node(node, batch, found) for node in range(self.nodes))
        )
        for place, pattern in enumerate(batch):
            answers = [bodies[place] for bodies in heard]
            if all(body is not None for bodies in answers for body in bodies):
                self._settle(pattern, found)
        self.rounds.append(found)
        return found

    async def _node(
        self, node: int, batch: list[Pattern], found: Round
    ) -> list[list[bytes | None]]:
        """One node's answers by pattern and oracle, asked for one after the other as in a single thread."""
        return [
            [await self._ask(node, pattern, oracle, found) for oracle in range(len(self.oracles))]
            for pattern in batch
        ]

    async def _ask(self, node: int, pattern: Pattern, oracle: int, found: Round) -> bytes | None:
        addresses = self.oracles[oracle].addresses
        began = time.monotonic()
        reply = await ask(addresses[node % len(addresses)], pattern.body())
        found.slowest_seconds = max(found.slowest_seconds, time.monotonic() - began)
        found.asked += 1
        if reply is None or reply[0] != 200:
            found.unanswered += 1
            return None
        found.answers += 1
        fault = self._check(pattern, oracle, reply[1])
        if fault:
            found.faults.append(f"node {node}, oracle {oracle}, {pattern.did}: {fault}")
        return reply[1]

    def _check(self, pattern: Pattern, oracle: int, body: bytes) -> str | None:
        read = scan(body)
        if read is None or len(body) > LARGEST_ANSWER_BYTES:
            return "the answer cannot be read"
        did = bytes.fromhex(pattern.did[2:])
        refused = why_refused(read, did, self.oracles[oracle].public_key, time.time())
        if refused:
            return refused
        if self._breaks_the_window(pattern, oracle, body, read.timestamp):
            return "other bytes than were given before"
        if self._nonces.setdefault(read.nonce, (pattern, oracle)) != (pattern, oracle):
            return "a nonce that was used before"
        return None

    def _breaks_the_window(self, pattern: Pattern, oracle: int, body: bytes, now: int) -> bool:
        """Whether other bytes were given for the same window; `now` is the answer's timestamp."""
        given = self._given.setdefault((pattern, oracle), body)
        before = scan(given)
        if given == body or before is None:
            return False
        if now > before.timestamp:
            self._given[pattern, oracle] = body
        # The second in which a window ends may belong to the next one, too.
        return abs(now - before.timestamp) < self.window_seconds - 1

    def _settle(self, pattern: Pattern, found: Round) -> None:
        """The pattern has its score, the same from every oracle."""
        read = [
            scan(self._given.get((pattern, oracle), b"")) for oracle in range(len(self.oracles))
        ]
        scores = {None if each is None else each.score for each in read}
        if len(scores) != 1:
            found.faults.append(f"{pattern.did}: the oracles say {scores}")
        self.waiting.remove(pattern)
        found.settled += 1
        found.scores += len(scores)
