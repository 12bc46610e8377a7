"""The range of each number that a request may carry; schema and error messages both read it here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_FUTURE_SECONDS: Final = 3600  # clocks differ; an hour covers a wrong daylight-saving setting
LAST_TIMESTAMP: Final = 4_102_444_800  # 2100-01-01: what is later is milliseconds, not seconds


@dataclass(frozen=True)
class Range:
    """Both ends belong to the range."""

    low: float
    high: float
    meaning: str

    def __str__(self) -> str:
        return f"between {self.low:,g} and {self.high:,g}"


RANGES: Final = {
    "typing_speed_wpm": Range(0, 400, "Words of five keys per minute"),
    "avg_key_hold_time_ms": Range(0, 5_000, "Mean time a key is held down, in milliseconds"),
    "avg_transition_time_ms": Range(
        -1_000,
        10_000,
        "Mean time from a key's release to the next key's press, in milliseconds; negative where keys overlap",
    ),
    "error_rate_percent": Range(0, 100, "Corrections among all keys, in percent"),
    "activity_hour_preference": Range(0, 23, "Hour of the day at which the user is mostly active"),
}

_FINGERS: Final = (
    "q a z 1",
    "w s x 2",
    "e d c 3",
    "r f v t g b 4 5",
    "y h n u j m 6 7",
    "i k 8",
    "o l 9",
    "p 0",
)
_HOLD: Final = "mean log hold, less that of all keys of the window"
_CHANGE: Final = "mean of asinh(transition / 100 ms), less that of all pairs of the window"
_OVER: Final = "Share of pairs whose first key is still down when the second is pressed"


def _hold(keys: str) -> Range:
    return Range(-5, 5, f"{keys}: {_HOLD}")


def _change(pairs: str) -> Range:
    return Range(-8, 8, f"{pairs}: {_CHANGE}")


# A window's statistics, in the order of worker.contract. Keys without modifiers; a pair is two keys in a row, the first
# released 1,000 ms after to 1,500 ms before the second is pressed; fingers and hands as on a QWERTY keyboard.
STATISTICS: Final = {
    "hold_q10_ms": Range(
        0, 1_000, "Tenth percentile of the times that keys are held, in milliseconds"
    ),
    "hold_q90_ms": Range(0, 1_000, "Ninetieth percentile of the same, in milliseconds"),
    "hold_space": _hold("Space"),
    "hold_other": _hold("Punctuation"),
    **{f"hold_finger_{n}": _hold(f"Keys {keys}") for n, keys in enumerate(_FINGERS, 1)},
    "transition_q90_ms": Range(
        -1_000, 1_500, "Ninetieth percentile of release to next press, in milliseconds"
    ),
    "overlap_ms": Range(
        5, 1_000, "Geometric mean of the overlaps of keys that overlap, in milliseconds"
    ),
    "transition_left_left": _change("Left hand to left hand, another finger"),
    "transition_right_right": _change("Right hand to right hand, another finger"),
    "transition_left_right": _change("Left hand to right hand"),
    "transition_right_left": _change("Right hand to left hand"),
    "transition_to_space": _change("Letter to space"),
    "transition_from_space": _change("Space to letter"),
    "rollover_left_left": Range(0, 1, f"{_OVER}, left hand to left hand, another finger"),
    "rollover_left_right": Range(0, 1, f"{_OVER}, left hand to right hand"),
    "rollover_right_right": Range(0, 1, f"{_OVER}, right hand to right hand, another finger"),
    "rollover_to_space": Range(0, 1, f"{_OVER}, letter to space"),
    "hold_spread": Range(0, 5, "Standard deviation of log hold"),
    "transition_spread": Range(0, 8, "Standard deviation of asinh(transition / 100 ms)"),
    "hold_rolled": _hold("Keys that are still down when the next is pressed"),
    "hold_change": Range(0, 10, "Mean absolute difference of the log holds of two keys in a row"),
    "gap_persistence": Range(
        -10, 10, "Mean product of two log gaps in a row, each less the window's mean log gap"
    ),
    "gap_mean_ms": Range(15, 1_500, "Geometric mean of press to next press, in milliseconds"),
    "gap_median_ms": Range(15, 2_000, "Median of press to next press, in milliseconds"),
    "hold_backspace": _hold("Backspace"),
    "shift_lead_ms": Range(
        15, 1_500, "Geometric mean of shift's press to the next key's press, in milliseconds"
    ),
    "shift_tail": Range(
        -3.1, 3.5, "Mean of asinh(t / 100 ms), t from shift's release to the next key's release"
    ),
}
MAX_COUNT: Final = 10_000
COUNTS: Final = {
    "keys": "All keys",
    "holds": "Keys but modifiers",
    "pairs": "Pairs",
    "spaces": "Spaces",
    "others": "Punctuation",
    **{f"finger_{n}": f"Keys {keys}" for n, keys in enumerate(_FINGERS, 1)},
    "overlaps": "Pairs whose keys overlap",
    "left_left": "Pairs of the left hand, two fingers",
    "right_right": "Pairs of the right hand, two fingers",
    "left_right": "Pairs from left to right",
    "right_left": "Pairs from right to left",
    "to_space": "Pairs from letter to space",
    "from_space": "Pairs from space to letter",
    "triples": "Two pairs in a row",
    "backspaces": "Backspaces",
    "shifts": "Uses of shift",
}
