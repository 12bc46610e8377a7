"""Pictures of a verification: error trade-off, scores, reliability, attacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ml.metrics import BINS, Scored, rates

DPI = 100
PERCENT = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
INK = ("#1b6ca8", "#d1495b", "#66a182", "#edae49", "#5f4b8b", "#444444")
# What an attack bar shows, from the top down.
BARS = {
    "replay_exact": "exact replay",
    "replay_moved": "replay, one number ±1",
    "population_guess": "population guess, ten tries",
    "stolen_1_noise_1": "one stolen session, own-sized noise",
    "stolen_10_noise_1": "ten stolen sessions, own-sized noise",
    "poisoning": "poisoning, guarded",
    "poisoning_unguarded": "poisoning, no guard",
}


class Shown(Protocol):
    """What a picture needs of a measurement."""

    @property
    def name(self) -> str:
        """In the legend."""

    @property
    def figures(self) -> dict[str, dict[str, float]]:
        """With `calibration_error` among them."""

    @property
    def scored(self) -> Scored:
        """Every comparison."""


def det(curves: Sequence[Shown], title: str, path: Path) -> None:
    """Detection error trade-off on normal deviates (Martin et al., Eurospeech 1997), one line a measurement."""
    figure, axes = _axes()
    for ink, measured in zip(INK, curves, strict=False):
        swept = rates(measured.scored)
        inside = (swept.far > 0) & (swept.frr > 0) & (swept.far < 1) & (swept.frr < 1)
        label = f"{measured.name}: EER {100 * swept.eer:.1f} %"
        axes.plot(_deviate(swept.far[inside]), _deviate(swept.frr[inside]), label=label, color=ink)
    ticks = _deviate(np.array(PERCENT))
    names = [f"{100 * value:g}" for value in PERCENT]
    axes.plot([ticks[0], ticks[-1]], [ticks[0], ticks[-1]], color="#bbbbbb", linewidth=0.8)
    axes.set_xticks(ticks, names)
    axes.set_yticks(ticks, names)
    axes.set(xlim=(ticks[0], ticks[-1]), ylim=(ticks[0], ticks[-1]))
    axes.set(xlabel="impostors accepted (%)", ylabel="genuine refused (%)", title=title)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", loc="upper right")
    _save(figure, path)


def scores(rows: Sequence[Shown], points: Mapping[str, int], path: Path) -> None:
    """Histograms of the confidence, one panel a row, the operating points as lines."""
    figure = Figure(figsize=(7.2, 2.3 * len(rows)), layout="constrained")
    edges = np.linspace(0, 100, 41)
    panels = np.atleast_1d(np.asarray(figure.subplots(len(rows), 1, sharex=True)))
    for axes, measured in zip(panels, rows, strict=True):
        scored = measured.scored
        for ink, genuine, label in ((INK[0], True, "genuine"), (INK[1], False, "impostors")):
            confidence = 100 * scored.probability[scored.genuine == genuine]
            weight = np.full(len(confidence), 100.0 / max(len(confidence), 1))
            axes.hist(confidence, edges.tolist(), weights=weight, alpha=0.6, label=label, color=ink)
        for name, threshold in points.items():
            axes.axvline(threshold, color="#444444", linewidth=0.8, linestyle=":")
            axes.text(threshold, 80, f"{name} ", rotation=90, va="top", ha="right", fontsize=7)
        axes.set_yscale("log")
        axes.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
        axes.set_ylim(0.05, 100)
        axes.set_ylabel("% of sessions")
        axes.set_title(measured.name, fontsize=9)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower right", ncols=2)
    panels[-1].set_xlabel("confidence")
    _save(figure, path)


def reliability(rows: Sequence[Shown], path: Path) -> None:
    """The share of genuine sessions in each tenth of confidence, at even odds."""
    figure, axes = _axes()
    axes.plot([0, 100], [0, 100], color="#bbbbbb", linewidth=1, label="says what it means")
    for ink, measured in zip(INK, rows, strict=False):
        said, found = _reliable(measured.scored)
        error = 100 * measured.figures["calibration_error"]["value"]
        label = f"{measured.name}: error {error:.1f} %"
        axes.plot(said, found, marker="o", markersize=4, color=ink, label=label)
    axes.set(xlabel="confidence", ylabel="genuine among them (%)", title="Reliability at even odds")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="x-small", loc="upper left")
    _save(figure, path)


def attacks(found: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """How far each attack gets, four numbers beside rich windows, with intervals."""
    figure = Figure(figsize=(7.2, 4.8), layout="constrained")
    axes = figure.add_subplot()
    names = [name for name in BARS if all(name in each for each in found.values())]
    height = 0.8 / max(len(found), 1)
    for nth, (ink, (seen, each)) in enumerate(zip(INK, found.items(), strict=False)):
        place = np.arange(len(names)) + (nth - (len(found) - 1) / 2) * height
        values = np.array([[each[name][p] for p in ("value", "low", "high")] for name in names])
        value, low, high = 100 * values.reshape(-1, 3).T
        spread = np.maximum(np.stack([value - low, high - value]), 0.0)
        label = {"four": "four numbers", "rich": "rich windows"}[seen]
        axes.barh(place, value, height * 0.9, xerr=spread, color=ink, label=label, alpha=0.85)
        for at, shown, end in zip(place, value, high, strict=True):
            axes.text(end + 1, at, f"{shown:.1f}", va="center", fontsize=7)
    axes.set_yticks(np.arange(len(names)), [BARS[name] for name in names])
    axes.invert_yaxis()
    axes.set(
        xlim=(0, 109),
        xlabel="accepted, broken or through (%)",
        title="Attacks at the balanced operating point",
    )
    axes.grid(alpha=0.3, axis="x")
    axes.legend(fontsize="small", loc="upper right")
    _save(figure, path)


def _reliable(scored: Scored) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    weight = scored.weights()
    bins = np.minimum((scored.probability * BINS).astype(np.int64), BINS - 1)
    sums = [
        np.bincount(bins, weight * value, BINS)
        for value in (np.ones(len(bins)), scored.probability, scored.genuine)
    ]
    filled = sums[0] > 0
    return tuple(100 * part[filled] / sums[0][filled] for part in sums[1:])  # type: ignore[return-value]


def _axes() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.6, 5.2), layout="constrained")
    return figure, figure.add_subplot()


def _save(figure: Figure, path: Path) -> None:
    """Without date or version, so that the same figures are the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI, metadata={"Software": None})


def _deviate(rate: NDArray[np.float64]) -> NDArray[np.float64]:
    normal = NormalDist()
    return np.array([normal.inv_cdf(float(value)) for value in rate])
