"""What a verification says, as Markdown tables made from its report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml.headline import percent, shown
from ml.verification import DUST

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
# Of each attack: the greatest rate that was asked for, and with which input.
LIMITS: dict[str, tuple[float, tuple[str, ...]]] = {
    "replay_exact": (0.0, ("four", "rich")),
    "replay_moved": (0.01, ("four", "rich")),
    "replay_mistaken": (0.005, ("four", "rich")),
    "replay_mistaken_whole": (0.005, ("four", "rich")),
    "replay_mistaken_whole_50": (0.005, ("four", "rich")),
    "replay_whole": (0.01, ("four", "rich")),
    "population_guess": (0.15, ("rich",)),
    "genuine_flagged": (0.01, ("rich",)),
    "poisoning": (0.0, ("four", "rich")),
    "poisoning_from_1": (0.0, ("four", "rich")),
    "poisoning_from_2": (0.0, ("four", "rich")),
    "poisoning_from_4": (0.0, ("four", "rich")),
}

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
    """Every attack, one column an input, with what was asked and a word where it was missed."""
    found = report["attacks"]
    names = {"four": "four numbers", "rich": "rich windows"}
    lines = [
        _line(["attack", "asked", *(names[seen] for seen in found)]),
        _line(["---"] * (2 + len(found))),
    ]
    described: dict[str, str] = {}
    for each in found.values():
        described.update({name: entry["what"] for name, entry in each.items()})
    for name, what in described.items():
        limit, inputs = LIMITS.get(name, (None, ()))
        asked = "" if limit is None else f"at most {100 * limit:g} %"
        if limit is not None and len(inputs) == 1:
            asked += f" ({names[inputs[0]]})"
        cells = [
            _rate(each.get(name), limit if seen in inputs else None) for seen, each in found.items()
        ]
        lines.append(_line([what, asked, *cells]))
    return "\n".join(lines)


def _rate(entry: Mapping[str, float] | None, limit: float | None) -> str:
    if entry is None:
        return ""
    missed = limit is not None and entry["value"] > limit + DUST
    return f"{percent(entry)}{', missed' if missed else ''}"


def markdown(report: Report) -> str:
    """The whole report."""
    parts = [rows(report), points(report)]
    if report["attacks"]:
        parts.append(attacks(report))
    return "\n\n".join(parts) + "\n"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
