"""The statistics of a stretch of typing, one key at a time, as their definitions say them."""

from __future__ import annotations

import itertools
from math import asinh, exp, log, nan, sqrt

import numpy as np

from ml.statistics import COUNTS, STATISTICS
from tests.ml.any_typing import Event

MODIFIERS = {"shift", "ctrl", "alt", "capslock"}
FINGERS = ["qaz1", "wsx2", "edc3", "rfvtgb45", "yhnujm67", "ik8", "ol9", "p0"]
LEFT, RIGHT, LETTER = set("".join(FINGERS[:4])), set("".join(FINGERS[4:])), set("".join(FINGERS))


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def finger(key: str) -> int:
    return next((i for i, keys in enumerate(FINGERS) if key in keys), -1)


def summary_of(events: list[Event]) -> list[float]:
    gaps = [min(b[0] - a[0], 2_000) for a, b in itertools.pairwise(events)]
    speed = 12_000 * len(gaps) / sum(gaps) if sum(gaps) > 0 else 0.0
    plain = [event for event in events if event[2] not in MODIFIERS]
    hold = mean([min(max(r - p, 0), 1_000) for p, r, _ in plain])
    steps = [b[0] - a[1] for a, b in itertools.pairwise(plain)]
    transition = mean([t for t in steps if -1_000 <= t <= 1_500])
    errors = 100 * sum(key in {"backspace", "delete"} for _, _, key in events) / len(events)
    return [speed, hold, transition, errors]


def statistics_of(events: list[Event]) -> tuple[dict[str, float], dict[str, int]]:
    found: dict[str, list[float]] = {name: [] for name in STATISTICS}
    plain = [event for event in events if event[2] not in MODIFIERS]
    holds = [min(max(r - p, 0), 1_000) for p, r, _ in plain]
    logs = [log(max(hold, 10)) for hold in holds]
    relative = [value - mean(logs) for value in logs]
    for value, (_, _, key) in zip(relative, plain, strict=True):
        names = {"space": "hold_space", "other": "hold_other", "backspace": "hold_backspace"}
        if key in names:
            found[names[key]].append(value)
        elif finger(key) >= 0:
            found[f"hold_finger_{finger(key) + 1}"].append(value)
    pairs = [i for i in range(len(plain) - 1) if -1_000 <= plain[i + 1][0] - plain[i][1] <= 1_500]
    steps = [plain[i + 1][0] - plain[i][1] for i in pairs]
    evens = [asinh(t / 100) for t in steps]
    gaps = [min(max(plain[i + 1][0] - plain[i][0], 0), 2_000) for i in pairs]
    log_gaps = [log(max(g, 15)) for g in gaps]
    ordinary = [g for g, gap in zip(log_gaps, gaps, strict=True) if gap <= 1_500]
    for n, i in enumerate(pairs):
        one, other = plain[i][2], plain[i + 1][2]
        away = evens[n] - mean(evens)
        name = pair_class(one, other)
        if name:
            found[f"transition_{name}"].append(away)
            found.get(f"rollover_{name}", []).append(float(steps[n] < 0))
        if steps[n] < 0:
            found["hold_rolled"].append(relative[i])
            found["overlap_ms"].append(log(max(-steps[n], 5)))
        found["hold_change"].append(abs(relative[i + 1] - relative[i]))
        if n and pairs[n - 1] == i - 1:
            usual = mean(ordinary) if ordinary else nan
            product = (log_gaps[n] - usual) * (log_gaps[n - 1] - usual)
            found["gap_persistence"].append(product)
    for a, b in itertools.pairwise(events):
        if a[2] == "shift" and b[2] not in MODIFIERS:
            found["shift_lead_ms"].append(log(min(max(b[0] - a[0], 15), 1_500)))
            found["shift_tail"].append(asinh(min(max(b[1] - a[1], -1_000), 1_500) / 100))
    counts = {name: len(found[statistic]) for name, statistic in COUNTED.items()}
    counts |= {"keys": len(events), "holds": len(plain), "pairs": len(pairs)}
    values = {name: mean(each) if each else nan for name, each in found.items()}
    for name in ("overlap_ms", "shift_lead_ms"):
        values[name] = exp(values[name])
    if holds:
        values["hold_q10_ms"], values["hold_q90_ms"] = np.quantile(holds, [0.1, 0.9])
        values["hold_spread"] = sqrt(mean([v**2 for v in relative]))
    if pairs:
        values["transition_q90_ms"] = float(np.quantile(steps, 0.9))
        values["transition_spread"] = sqrt(mean([(v - mean(evens)) ** 2 for v in evens]))
        values["gap_mean_ms"] = exp(mean(ordinary)) if ordinary else nan
        values["gap_median_ms"] = max(float(np.quantile(gaps, 0.5)), 15.0)
    return values, {name: counts[name] for name in COUNTS}


COUNTED = {
    "spaces": "hold_space",
    "others": "hold_other",
    **{f"finger_{i}": f"hold_finger_{i}" for i in range(1, 9)},
    "overlaps": "hold_rolled",
    "left_left": "transition_left_left",
    "right_right": "transition_right_right",
    "left_right": "transition_left_right",
    "right_left": "transition_right_left",
    "to_space": "transition_to_space",
    "from_space": "transition_from_space",
    "triples": "gap_persistence",
    "backspaces": "hold_backspace",
    "shifts": "shift_tail",
}


def pair_class(one: str, other: str) -> str:
    if one == "space" and other in LETTER:
        return "from_space"
    if one in LETTER and other == "space":
        return "to_space"
    if one not in LETTER or other not in LETTER:
        return ""
    hands = ("left" if one in LEFT else "right", "left" if other in LEFT else "right")
    if hands[0] == hands[1] and finger(one) == finger(other):
        return ""
    return "_".join(hands)
