"""The read-me's figures, worded from a report, so that a test can hold one to the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BEGIN = "<!-- figures of docs/accuracy.json, written by `make evaluate` -->"
END = "<!-- end of figures -->"
HEADLINE = ("four_one", "rich_one", "rich_window", "rich_five")
COLUMNS = {"auc": "AUC", "eer": "equal error rate", "frr_at_far_1": "FRR at FAR 1 %"}

Figure = Mapping[str, float]


def percent(figure: Figure, digits: int = 1) -> str:
    """A rate with its interval, in percent."""
    value, low, high = (100.0 * figure[part] for part in ("value", "low", "high"))
    return f"{value:.{digits}f} % ({low:.{digits}f} to {high:.{digits}f})"


def fraction(figure: Figure, digits: int = 3) -> str:
    """A figure between 0 and 1 with its interval."""
    return "{value:.{d}f} ({low:.{d}f} to {high:.{d}f})".format(d=digits, **figure)


def shown(name: str, figure: Figure) -> str:
    """A figure as its name asks for: AUC as a fraction, all others in percent."""
    return fraction(figure, 4) if name == "auc" else percent(figure, 2)


def headline(report: Mapping[str, Any]) -> str:
    """The table of the read-me, between its two marks."""
    lines = [
        BEGIN,
        f"| session and history | {' | '.join(COLUMNS.values())} |",
        "|---|" + "---|" * len(COLUMNS),
    ]
    for key in HEADLINE:
        row = report["rows"][key]
        cells = [shown(name, row["figures"][name]) for name in COLUMNS]
        lines.append(f"| {row['name']} | {' | '.join(cells)} |")
    blind = report["without_history"]
    least, greatest = blind["least_confidence"], blind["greatest_confidence"]
    lines.append(
        f"| any session, no history | {blind['auc']:.2f} | {100 * blind['eer']:.0f} % |"
        f" every confidence is {least:.0f} to {greatest:.0f} |"
    )
    return "\n".join([*lines, END])


def replaced(text: str, report: Mapping[str, Any]) -> str:
    """A page with the table between its marks written anew. Raises ValueError when the marks are missing."""
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin:
        raise ValueError(f"the page lacks the marks {BEGIN!r} and {END!r}")
    return text[:begin] + headline(report) + text[end + len(END) :]
