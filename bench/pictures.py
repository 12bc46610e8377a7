"""Two pictures of a measurement: throughput as bars, and latency against load."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

Document = dict[str, Any]
OWN, OTHERS = "#1b6ca8", "#9aa5b1"
COLOURS = {"service": OWN, "mosec": "#d1495b", "in_process": "#66a182"}


def draw(document: Document, folder: Path) -> None:
    """Write throughput.png and, where a curve was measured, latency.png."""
    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    _save(_throughput, document, folder / "throughput.png", (7.5, 3.6))
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
    axes.set_xlabel("answers/s with 64 connections: median of the rounds, least and greatest")
    axes.margins(x=0.12)


def _latency(axes: Axes, document: Document) -> None:
    labels = {entry["name"]: entry["label"] for entry in document["contestants"]}
    for name in dict.fromkeys(point["name"] for point in document["curve"]):
        points = [point for point in document["curve"] if point["name"] == name]
        whole = [point for point in points if point["answered"] == 1 and point["p99_ms"]]
        colour = COLOURS.get(name, OTHERS)
        rates = [point["rate"] for point in whole]
        axes.plot(
            rates, [p["p99_ms"] for p in whole], "o-", color=colour, label=f"{labels[name]}, p99"
        )
        axes.plot(rates, [p["p50_ms"] for p in whole], "o--", color=colour, alpha=0.5, label="p50")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    offered = sorted({point["rate"] for point in document["curve"]})
    axes.set_xticks(offered, [f"{rate:,}" for rate in offered])
    axes.minorticks_off()
    axes.set_xlabel(
        "requests/s at a constant rate (open loop); left out where a request had no answer"
    )
    axes.set_ylabel("milliseconds from the intended moment")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(frameon=False, ncols=2)
