"""The Markdown of a measurement, from its JSON and nothing else."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

Document = dict[str, Any]
FALLEN = 0.8  # who was stopped between turns and does not come back to his speed
BEYOND_THE_README = "scorer alone"  # there the rest begins, which docs/performance.md has


def machine_line(document: Document) -> str:
    """Where, when and how it was measured."""
    machine = document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    return (
        f"Measured on {document['date']} on {machine['cores']} cores of {machine['processor']} with"
        f" {machine['memory_gib']} GiB, which also ran Redis and the load (load average"
        f" before: {machine['load_average']}); {machine['system']},"
        f" Python {machine['python']}, {versions}. Closed loops by {document['generator']}, open loops by"
        f" bench/openloop.py. `make {command(document)}` took {document['took_seconds'] / 60:.0f} minutes."
    )


def command(document: Document) -> str:
    """The target that measured it."""
    return "bench" if document["plan"] == "full" else "bench-quick"


def figures_table(entries: Sequence[dict[str, Any]]) -> str:
    """Figure, what it is to reach, what was measured, and its spread over the rounds."""
    lines = ["| figure | to reach | measured | spread | |", "|---|---|---|---|---|"]
    for entry in entries:
        verdict = {True: "reached", False: "**not reached**", None: ""}[entry["reached"]]
        lines.append(
            f"| {entry['name']} | {_to_reach(entry)} | {_measured(entry)} | {_spread(entry)} | {verdict} |"
        )
    return "\n".join(lines)


def contestants_table(document: Document) -> str:
    """Who took part, how they were set up, and their rates."""
    lines = [
        "| | version | requests/s, 64 connections | p99 there | p50, one connection | without 200"
        " | rate of each round | set up, and what it leaves out |",
        "|---|---|---|---|---|---|---|---|",
    ]
    speeds = machine_speeds(document)
    for entry in document["contestants"]:
        keys = ("rate", "p99_64_ms", "p50_one_ms")
        rate, tail, one = (_middle(document, f"{key}/{entry['name']}") for key in keys)
        reason = entry["out"].splitlines()[0].replace("|", "/") if entry["out"] else ""
        about = entry["about"] + (f"; **fell out**: {reason}" if reason and rate else "")
        rounds, failed = (
            document["samples"].get(f"{key}/{entry['name']}", []) for key in ("rate", "failed_64")
        )
        measured = f"{_number(rate)} | {_number(tail)} ms | {_number(one)} ms"
        measured += f" | {sum(failed):.0f} | {_rounds(rounds, speeds)}"
        if rate is None:
            measured = f"not measured: {reason} | | | | "
        lines.append(f"| {entry['label']} | {entry['version'] or ''} | {measured} | {about} |")
    echo = _middle(document, "p50_one_ms/echo")
    about = "LPUSH and BRPOP between two processes, one message at a time, no HTTP and no work"
    lines.append(f"| bare Redis echo | | | | {_number(echo)} ms | | | {about} |")
    return "\n".join(lines)


def scorer_table(document: Document) -> str:
    """Patterns/s of the scorer and of the bare products, by size of batch."""
    samples = document["samples"]
    sizes = sorted(int(name.split("/")[1]) for name in samples if name.startswith("scorer/"))
    lines = ["| batch | scorer, patterns/s | products alone |", "|---|---|---|"]
    for size in sizes:
        own, chain = (_middle(document, f"{kind}/{size}") for kind in ("scorer", "chain"))
        lines.append(f"| {size:,} | {_number(own)} | {_number(chain)} |")
    return "\n".join(lines)


def page(document: Document) -> str:
    """Everything, for docs/performance.md."""
    parts = [
        machine_line(document),
        figures_table(document["figures"]),
        "A ratio is taken within a round, in which everybody has a turn; the table shows the median of the rounds, and"
        " the least and the greatest as spread. Who has no turn is stopped.",
        contestants_table(document),
        scorer_table(document),
    ]
    if document["curve"]:
        parts.append("![Latency against load](performance/latency.png)")
    parts.append("![Throughput](performance/throughput.png)")
    return "\n\n".join(parts)


def summary(document: Document) -> str:
    """The first figures, for the README."""
    first = takewhile(
        lambda entry: not entry["name"].startswith(BEYOND_THE_README), document["figures"]
    )
    return "\n\n".join([machine_line(document), figures_table(list(first))])


def _to_reach(entry: dict[str, Any]) -> str:
    if entry["at_least"] is not None:
        return f"at least {_with_unit(entry['at_least'], entry['unit'])}"
    if entry["at_most"] is not None:
        return f"at most {_with_unit(entry['at_most'], entry['unit'])}"
    return ""


def _measured(entry: dict[str, Any]) -> str:
    if entry["judged"] is None:
        return entry["open"] or "not measured"
    return _with_unit(entry["judged"], entry["unit"])


def _spread(entry: dict[str, Any]) -> str:
    if entry["median"] is None or len(entry["values"]) < 2:
        return ""
    return f"{_number(entry['low'])} to {_number(entry['high'])}"


def _with_unit(value: float, unit: str) -> str:
    return f"{_number(value)} {unit}".strip()


def _number(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _rounds(rates: Sequence[float], machine: Sequence[float]) -> str:
    """Each round's rate in turn, and a mark where the later ones are slower than the machine accounts for."""
    shown = ", ".join(map(_number, rates))
    return f"{shown} (**falls**)" if falls(rates, machine) else shown


def falls(rates: Sequence[float], machine: Sequence[float]) -> bool:
    """Whether the later half of the rounds lies below FALLEN of the first, for what the machine did meanwhile.

    `machine` holds each round's speed against the first round's, of the middle contestant.
    """
    if len(rates) < 2 or not rates[0]:
        return False
    own = [rate / rates[0] / speed for rate, speed in zip(rates, machine, strict=False)]
    return statistics.median(own[-(len(own) // 2) :]) < FALLEN


def machine_speeds(document: Document) -> list[float]:
    """Each round's rate against the first round's, the median of all contestants that have every round."""
    found = [document["samples"].get(f"rate/{one['name']}", []) for one in document["contestants"]]
    longest = max(map(len, found), default=0)
    whole = [rates for rates in found if len(rates) == longest and rates and rates[0]]
    speeds = [statistics.median(rates[n] / rates[0] for rates in whole) for n in range(longest)]
    return [speed or 1.0 for speed in speeds]


def _middle(document: Document, name: str) -> float | None:
    values = document["samples"].get(name)
    return statistics.median(values) if values else None
