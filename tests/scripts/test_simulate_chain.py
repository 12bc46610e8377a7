from __future__ import annotations

import argparse
import random

import pytest

from scripts.chain_round import Chain
from scripts.simulate_chain import pending, people, play
from tests.scripts.oracles import FakeOracle, jittering, listening, steady

ARGUMENTS = argparse.Namespace(blocks=30, block_seconds=0.0, people=40, patterns=5, seed=3)


async def played(oracle: FakeOracle) -> int:
    async with listening(oracle) as ends:
        return await play(Chain(ends, 2), ARGUMENTS)


@pytest.mark.anyio
async def test_a_play_without_a_fault_prints_a_line_for_every_tenth_block(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert await played(FakeOracle(0, steady)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["10", "20", "30"]
    assert lines[-1] == "15 patterns settled, 0 still pending, 0 faults"


@pytest.mark.anyio
async def test_faults_are_counted_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert await played(FakeOracle(0, jittering(), forgetful=True)) > 0
    assert "other bytes than were given before" in capsys.readouterr().out


@pytest.mark.anyio
async def test_a_play_in_which_nobody_answers_is_a_failure() -> None:
    oracle = FakeOracle(0, steady)
    oracle.status = b"404 Not Found"
    assert await played(oracle) == 1


def test_people_have_at_most_one_pattern_waiting() -> None:
    who = people(20, 1)
    busy = {did for did, _ in who[:15]}
    found = pending(who, 10, random.Random(1), busy)
    assert sorted(pattern.did for pattern in found) == sorted(did for did, _ in who[15:])


def test_the_same_seed_plays_the_same() -> None:
    who = people(20, 1)
    assert who == people(20, 1)
    assert pending(who, 5, random.Random(2), set()) == pending(who, 5, random.Random(2), set())
