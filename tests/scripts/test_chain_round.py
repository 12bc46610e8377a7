"""A round finds every difference that a chain would punish."""

from __future__ import annotations

import itertools
import time

import pytest

from scripts.chain_node import Address
from scripts.chain_round import Chain, OracleEnd, Pattern
from tests.scripts.oracles import FakeOracle, jittering, listening, steady

pytestmark = pytest.mark.anyio
PATTERNS = [Pattern(f"0x{n + 1:064x}", (60 + n, 100, 90, 2, 9)) for n in range(12)]


async def rounds(*oracles: FakeOracle, nodes: int = 3, count: int = 1) -> Chain:
    async with listening(*oracles) as ends:
        chain = Chain(ends, nodes)
        chain.add(PATTERNS)
        for block in range(count):
            await chain.round(10 * block)
    return chain


def faults(chain: Chain) -> str:
    return "\n".join(fault for each in chain.rounds for fault in each.faults)


async def test_nodes_and_oracles_that_agree_settle_ten_patterns_a_round() -> None:
    chain = await rounds(FakeOracle(0, steady), FakeOracle(1, steady), count=2)
    assert faults(chain) == ""
    assert [(each.asked, each.answers, each.settled) for each in chain.rounds] == [
        (60, 60, 10),
        (12, 12, 2),
    ]
    assert chain.waiting == []


async def test_an_oracle_that_answers_anew_each_time_is_found_out() -> None:
    chain = await rounds(FakeOracle(0, jittering(), forgetful=True))
    assert "other bytes than were given before" in faults(chain)


@pytest.mark.parametrize(("seconds", "fault"), [(30, True), (60, False)])
async def test_an_oracle_may_answer_anew_when_its_window_has_ended(
    seconds: int, fault: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = itertools.count(1)
    oracle = FakeOracle(0, lambda asked: (steady(asked)[0], next(numbers)), forgetful=True)
    began = time.time()
    async with listening(oracle, FakeOracle(1, steady)) as ends:
        chain = Chain(ends, 1)
        ends[1] = OracleEnd((Address("127.0.0.1", 1),), ends[1].public_key)  # so nothing is settled
        chain.add(PATTERNS[:2])
        for later in (0, seconds):
            monkeypatch.setattr(time, "time", lambda later=later: began + later)
            await chain.round(later)
    assert ("other bytes than were given before" in faults(chain)) is fault


async def test_an_oracle_that_says_another_score_than_the_others_is_found_out() -> None:
    off_by_one = FakeOracle(1, lambda asked: (steady(asked)[0] - 1, steady(asked)[1]))
    chain = await rounds(FakeOracle(0, steady), off_by_one)
    assert "the oracles say" in faults(chain)


async def test_a_nonce_that_comes_twice_is_found_out() -> None:
    chain = await rounds(FakeOracle(0, lambda asked: (steady(asked)[0], 7)))
    assert "a nonce that was used before" in faults(chain)


async def test_two_oracles_of_one_number_that_meet_in_a_nonce_are_found_out() -> None:
    chain = await rounds(FakeOracle(0, steady), FakeOracle(0, steady))
    assert "a nonce that was used before" in faults(chain)


async def test_an_answer_with_the_wrong_key_is_found_out() -> None:
    first, second = FakeOracle(0, steady), FakeOracle(1, steady)
    first.key = second.key
    chain = await rounds(first)
    assert "another public key" in faults(chain)


async def test_a_pattern_without_an_answer_is_asked_about_again_and_is_no_fault() -> None:
    oracle = FakeOracle(0, steady)
    oracle.status = b"503 Service Unavailable"
    chain = await rounds(oracle)
    assert (chain.rounds[0].unanswered, chain.rounds[0].settled) == (30, 0)
    assert len(chain.waiting) == 12
    assert faults(chain) == ""


async def test_an_oracle_that_is_gone_is_no_answer() -> None:
    async with listening(FakeOracle(0, steady)) as ends:
        pass
    chain = Chain(ends, 1)
    chain.add(PATTERNS[:1])
    assert (await chain.round(10)).unanswered == 1


async def test_a_node_asks_as_an_off_chain_worker_does() -> None:
    oracle = FakeOracle(0, steady)
    await rounds(oracle, nodes=1)
    head = oracle.heard[0].lower()
    assert head.startswith(b"post /chain/score http/1.1\r\n")
    assert b"transfer-encoding: chunked" in head
    for absent in (b"content-type", b"content-length", b"user-agent"):
        assert absent not in head
