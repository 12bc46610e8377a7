"""Plays a chain against running oracles: nodes on a block clock ask about pending patterns, as off-chain workers do.

Every tenth block each node asks every oracle about each pending pattern. What a node reads is checked as the chain
checks it. All nodes must get the same bytes from one oracle, all oracles must give the same score, and no nonce may
come twice. Prints a table; exits with 1 on any difference or refused answer. A pattern without an answer is asked
about again, as on a chain.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import urllib.request
from urllib.parse import urlsplit

from scripts.chain_node import Address
from scripts.chain_round import WINDOW_SECONDS, Chain, OracleEnd, Pattern, Round

HEADINGS = ("block", "asked", "answers", "none", "settled", "scores", "slowest ms", "faults")
WIDTH = 11


def people(count: int, seed: int) -> list[tuple[str, list[int]]]:
    """DIDs with the typing that is normal for each: speed, hold, transition, errors, hour."""
    draw = random.Random(seed)  # noqa: S311  # a repeatable play, no secret
    found = []
    for number in range(count):
        normal = [draw.randint(*ends) for ends in ((30, 90), (80, 150), (60, 220), (0, 8), (0, 23))]
        found.append((f"0x{seed:032x}{number + 1:032x}", normal))
    return found


def pending(
    who: list[tuple[str, list[int]]], count: int, draw: random.Random, busy: set[str]
) -> list[Pattern]:
    """New patterns of `count` people, each near what is normal for that person; none of those with one waiting."""
    found = []
    idle = [each for each in who if each[0] not in busy]
    for did, normal in draw.sample(idle, min(count, len(idle))):
        speed, hold, transition, errors, hour = normal
        features = (
            max(5, speed + draw.randint(-4, 4)),
            max(20, hold + draw.randint(-6, 6)),
            max(10, transition + draw.randint(-10, 10)),
            min(100, max(0, errors + draw.randint(-1, 1))),
            hour,
        )
        found.append(Pattern(did, features))
    return found


def oracle_at(urls: str) -> OracleEnd:
    """The oracle behind one or more addresses, separated by commas; its key is asked for at the first."""
    parts = [urlsplit(url) for url in urls.split(",")]
    with urllib.request.urlopen(f"{parts[0].geturl().rstrip('/')}/chain/keys", timeout=5) as answer:  # noqa: S310
        keys = json.loads(answer.read())["keys"]
    current = next(each["public_key"] for each in keys if each["state"] == "current")
    ends = tuple(Address(part.hostname or "", part.port or 80) for part in parts)
    return OracleEnd(ends, bytes.fromhex(current[2:]))


def line(cells: tuple[object, ...]) -> str:
    """One line of the table."""
    return "".join(str(cell).rjust(WIDTH) for cell in cells)


def row(each: Round) -> str:
    """A round as a line of the table."""
    slowest = f"{each.slowest_seconds * 1000:.0f}"
    figures = (each.asked, each.answers, each.unanswered, each.settled, each.scores, slowest)
    return line((each.block, *figures, len(each.faults)))


async def play(chain: Chain, arguments: argparse.Namespace) -> int:
    """The whole play; the number of faults, at least one where nothing was settled."""
    who = people(arguments.people, arguments.seed)
    draw = random.Random(arguments.seed)  # noqa: S311
    print(line(HEADINGS))
    for block in range(10, arguments.blocks + 1, 10):
        await asyncio.sleep(10 * arguments.block_seconds)
        busy = {pattern.did for pattern in chain.waiting}
        chain.add(pending(who, arguments.patterns, draw, busy))
        each = await chain.round(block)
        print(row(each), flush=True)
        for fault in each.faults:
            print(f"    {fault}")
    faults = sum(len(each.faults) for each in chain.rounds)
    settled = sum(each.settled for each in chain.rounds)
    print(f"{settled} patterns settled, {len(chain.waiting)} still pending, {faults} faults")
    return faults if settled else max(1, faults)


def main() -> int:
    """0, or 1 on any fault or where nothing was settled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--oracle", action="append", required=True, metavar="URL[,URL]")
    parser.add_argument("--nodes", type=int, default=5)
    parser.add_argument("--blocks", type=int, default=300)
    parser.add_argument("--block-seconds", type=float, default=6.0)
    parser.add_argument("--patterns", type=int, default=10, choices=range(1, 11), metavar="1-10")
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    window = "CHAIN_WINDOW_SECONDS of the oracles, 60 unless they set it"
    parser.add_argument("--window-seconds", type=int, default=WINDOW_SECONDS, help=window)
    arguments = parser.parse_args()
    ends = [oracle_at(urls) for urls in arguments.oracle]
    chain = Chain(ends, arguments.nodes, arguments.window_seconds)
    return 1 if asyncio.run(play(chain, arguments)) else 0


if __name__ == "__main__":
    sys.exit(main())
