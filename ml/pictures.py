"""Pictures of an evaluation: error trade-off, scores, reliability."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ml.evaluation import Evaluation
from ml.metrics import BINS, rates

DPI = 90
PERCENT = (0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)


def draw(evaluations: Sequence[Evaluation], folder: Path) -> list[Path]:
    """Write det.png, scores.png and reliability.png into `folder`, which is made; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, paint in (("det", _det), ("scores", _scores), ("reliability", _reliability)):
        figure = Figure(figsize=(6.4, 4.8), layout="constrained")
        paint(figure.add_subplot(), evaluations)
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=DPI, metadata={"Software": None})
        written.append(path)
    return written


def _det(axes: Axes, evaluations: Sequence[Evaluation]) -> None:
    """Detection error trade-off on normal deviates (Martin et al., Eurospeech 1997)."""
    for evaluation in evaluations:
        swept = rates(evaluation.scored)
        inside = (swept.far > 0) & (swept.frr > 0) & (swept.far < 1) & (swept.frr < 1)
        label = f"{evaluation.name}: EER {100 * swept.eer:.1f} %"
        axes.plot(_deviate(swept.far[inside]), _deviate(swept.frr[inside]), label=label)
    ticks = _deviate(np.array(PERCENT))
    names = [f"{100 * value:g}" for value in PERCENT]
    axes.set_xticks(ticks, names)
    axes.set_yticks(ticks, names)
    axes.set(xlim=(ticks[0], ticks[-1]), ylim=(ticks[0], ticks[-1]))
    axes.set(xlabel="impostors accepted (%)", ylabel="genuine refused (%)", title="Error trade-off")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")


def _scores(axes: Axes, evaluations: Sequence[Evaluation]) -> None:
    last = evaluations[-1]
    edges = np.linspace(0, 100, 51)
    for genuine, label in ((True, "genuine"), (False, "impostors")):
        confidence = 100 * last.scored.probability[last.scored.genuine == genuine]
        axes.hist(confidence, bins=edges.tolist(), density=True, alpha=0.6, label=label)
    axes.set(xlabel="confidence", ylabel="density", title=f"Scores, {last.name}")
    axes.legend()


def _reliability(axes: Axes, evaluations: Sequence[Evaluation]) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    for evaluation in evaluations:
        scored = evaluation.scored
        weight = scored.weights()
        bins = np.minimum((scored.probability * BINS).astype(np.int64), BINS - 1)
        sums = [
            np.bincount(bins, weight * value, BINS)
            for value in (np.ones(len(bins)), scored.probability, scored.genuine)
        ]
        filled = sums[0] > 0
        axes.plot(
            sums[1][filled] / sums[0][filled],
            sums[2][filled] / sums[0][filled],
            marker="o",
            label=evaluation.name,
        )
    axes.set(xlabel="confidence / 100", ylabel="share of genuine", title="Reliability at even odds")
    axes.legend()


def _deviate(rate: NDArray[np.float64]) -> NDArray[np.float64]:
    normal = NormalDist()
    return np.array([normal.inv_cdf(float(value)) for value in rate])
