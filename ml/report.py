"""What an evaluation says, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from ml.evaluation import Evaluation

FIGURES = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "far": "FAR",
    "frr": "FRR",
    "auc": "AUC",
    "eer": "EER",
    "frr_at_far_1_percent": "FRR at FAR 1 %",
    "calibration_error": "calibration error",
}


def table(evaluations: Sequence[Evaluation]) -> str:
    """One row a figure, one column a data set, each with its 95 % interval."""
    names = ["", *(evaluation.name for evaluation in evaluations)]
    rows = [names, ["---"] * len(names)]
    for unit in ("people", "genuine", "impostor"):
        counts = [f"{evaluation.counts[unit]:,}" for evaluation in evaluations]
        rows.append([unit if unit == "people" else f"{unit} comparisons", *counts])
    for key, label in FIGURES.items():
        rows.append([label, *(_cell(evaluation, key) for evaluation in evaluations)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def kinds(evaluation: Evaluation) -> str:
    """How many of each kind of labelled sample reached the confidence that the figures are taken at."""
    lines = [
        "| kind | comparisons | at or above it | anomaly above 0.99 |",
        "| --- | --- | --- | --- |",
    ]
    for kind, entry in evaluation.details["kinds"].items():
        accepted, anomalous = 100 * entry["accepted"], 100 * entry["anomalous"]
        lines.append(
            f"| {kind} | {entry['comparisons']:,} | {accepted:.1f} % | {anomalous:.1f} % |"
        )
    return "\n".join(lines)


def _cell(evaluation: Evaluation, key: str) -> str:
    figure = evaluation.figures[key]
    if key == "auc":
        return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
    value, low, high = (100 * figure[part] for part in ("value", "low", "high"))
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"
