"""Two pictures of a measurement: throughput as bars, and latency against load."""

from __future__ import annotations

import statistics
from itertools import zip_longest
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import StrMethodFormatter

from bench.figures import P99_MS
from bench.stages import HEADLINE_RATE

THOUSANDS = StrMethodFormatter("{x:,.0f}")
Document = dict[str, Any]
OWN, OTHERS = "#1b6ca8", "#9aa5b1"
STYLES = {"p99": "o-", "p50": "o--"}
MILLISECONDS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)
COLOURS = {"service": OWN, "mosec": "#d1495b", "in_process": "#66a182"}


def draw(document: Document, folder: Path) -> None:
    """Write throughput.png and, where a curve was measured, latency.png."""
    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    _save(_throughput, document, folder / "throughput.png", (7.5, 3.8))
    if document["curve"]:
        _save(_latency, document, folder / "latency.png", (7.5, 4.2))


def _save(paint: Any, document: Document, path: Path, inches: tuple[float, float]) -> None:
    figure, axes = plt.subplots(figsize=inches, layout="constrained")
    paint(axes, document)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plt.close(figure)


def _throughput(axes: Axes, document: Document) -> None:
    rates = {
        entry["label"]: (entry["name"], document["samples"].get(f"rate/{entry['name']}"))
        for entry in document["contestants"]
    }
    measured = [(label, name, values) for label, (name, values) in rates.items() if values]
    measured.sort(key=lambda one: statistics.median(one[2]))
    for place, (_, name, values) in enumerate(measured):
        middle = statistics.median(values)
        spread = [[middle - min(values)], [max(values) - middle]]
        colour = OWN if name == "service" else OTHERS
        axes.barh(place, middle, color=colour, xerr=spread, ecolor="#333333", capsize=3)
        axes.annotate(
            f"{middle:,.0f}", (max(values), place), (6, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(range(len(measured)), [label for label, _, _ in measured])
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(THOUSANDS)
    axes.set_xlabel("answers/s with 64 connections: median of the rounds, least and greatest")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.margins(x=0.12)


def _latency(axes: Axes, document: Document) -> None:
    labels = {entry["name"]: entry["label"] for entry in document["contestants"]}
    names = list(dict.fromkeys(point["name"] for point in document["curve"]))
    for name in names:
        points = [point for point in document["curve"] if point["name"] == name]
        whole = [point for point in points if point["answered"] == 1 and point["p99_ms"]]
        for share, style in STYLES.items():
            axes.plot(
                [point["rate"] for point in whole],
                [point[f"{share}_ms"] for point in whole],
                style,
                color=COLOURS.get(name, OTHERS),
                markersize=5,
                markerfacecolor=None if share == "p99" else "white",
            )
    axes.plot([HEADLINE_RATE], [P99_MS], "k_", markersize=22, markeredgewidth=2)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    offered = sorted({point["rate"] for point in document["curve"]})
    axes.set_xticks(offered, [f"{rate:,}" for rate in offered])
    axes.set_yticks(MILLISECONDS, [f"{each:,}" for each in MILLISECONDS])
    axes.minorticks_off()
    _fit(axes, document)
    axes.set_xlabel(
        "requests/s at a constant rate (open loop); left out where a request had no answer"
    )
    axes.set_ylabel("ms from the intended moment")
    axes.grid(axis="y", alpha=0.3)
    pairs = zip_longest(_colours(names, labels), _styles())  # a legend is filled column by column
    axes.figure.legend(
        handles=[one for pair in pairs for one in pair if one],
        loc="outside upper center",
        frameon=False,
        ncols=3,
    )


def _fit(axes: Axes, document: Document) -> None:
    """A step of the axis above and below what is drawn, so that ticks that nothing reaches are not."""
    drawn = [point[f"{share}_ms"] for point in document["curve"] for share in STYLES]
    found = [value for value in drawn if value] + [P99_MS]
    below = [each for each in MILLISECONDS if each <= min(found)] or MILLISECONDS
    above = [each for each in MILLISECONDS if each >= max(found)] or MILLISECONDS[-1:]
    axes.set_ylim(below[-1] * 0.9, above[0] * 1.1)


def _colours(names: list[str], labels: dict[str, str]) -> list[Line2D]:
    return [
        Line2D([], [], color=COLOURS.get(name, OTHERS), lw=4, label=labels[name]) for name in names
    ]


def _styles() -> list[Line2D]:
    shares = [
        Line2D([], [], color="black", ls=style[1:], marker="o", markersize=5, label=share)
        for share, style in STYLES.items()
    ]
    shares[1].set_markerfacecolor("white")
    bound = f"to reach: p99 of {P99_MS:.0f} ms at {HEADLINE_RATE}/s"
    return [*shares, Line2D([], [], color="black", ls="", marker="_", markersize=14, label=bound)]
