"""What a verification says, as Markdown tables made from its report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml.headline import percent, shown

FIGURES = {
    "auc": "AUC",
    "eer": "EER",
    "frr_at_far_1": "FRR at FAR 1 %",
    "frr_at_far_2_1": "FRR at FAR 2.1 %",
    "frr_at_far_0_1": "FRR at FAR 0.1 %",
    "accuracy_at_equal_rates": "accuracy at equal rates",
    "calibration_error": "calibration error",
}
COUNTS = {"people": "people", "genuine": "genuine comparisons", "impostor": "impostor comparisons"}

Report = Mapping[str, Any]


def rows(report: Report) -> str:
    """Every row of the protocol with every figure and its interval, and the row without a history."""
    lines = [_line(["session and history", *COUNTS.values(), *FIGURES.values()])]
    lines.append(_line(["---"] * (1 + len(COUNTS) + len(FIGURES))))
    for row in report["rows"].values():
        counts = [f"{row['counts'][name]:,}" for name in COUNTS]
        lines.append(
            _line([row["name"], *counts, *(shown(key, row["figures"][key]) for key in FIGURES)])
        )
    blind = report["without_history"]
    empty = [""] * (len(COUNTS) + len(FIGURES) - 2)
    lines.append(
        _line(
            [
                "any input, no history",
                *empty[:3],
                f"{blind['auc']:.3f}",
                f"{100 * blind['eer']:.1f} %",
                *empty[3:],
            ]
        )
    )
    return "\n".join(lines)


def points(report: Report) -> str:
    """What each operating point of the model does in each row, of the whole confidence that leaves the service."""
    lines = [_line(["session and history", "point", "from", "FMR", "FNMR"]), _line(["---"] * 5)]
    for row in report["rows"].values():
        for name, point in row["operating_points"].items():
            cells = [
                name,
                str(point["threshold"]),
                percent(point["fmr"], 2),
                percent(point["fnmr"], 2),
            ]
            lines.append(_line([row["name"], *cells]))
    return "\n".join(lines)


def attacks(report: Report) -> str:
    """Every attack, one column an input."""
    found = report["attacks"]
    names = {"four": "four numbers", "rich": "rich windows"}
    lines = [_line(["attack", *(names[seen] for seen in found)]), _line(["---"] * (1 + len(found)))]
    described: dict[str, str] = {}
    for each in found.values():
        described.update({name: entry["what"] for name, entry in each.items()})
    for name, what in described.items():
        cells = [percent(each[name]) if name in each else "" for each in found.values()]
        lines.append(_line([what, *cells]))
    return "\n".join(lines)


def markdown(report: Report) -> str:
    """The whole report."""
    parts = [rows(report), points(report)]
    if report["attacks"]:
        parts.append(attacks(report))
    return "\n\n".join(parts) + "\n"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
