"""Key events become four summary numbers, 34 derived statistics and 23 counts, for each stretch of typing.

All in the order in which keys were pressed. Modifiers (shift, ctrl, alt, caps lock) count as keys for speed and errors
and are left out of everything else.

Summary numbers:

- speed (wpm): 12,000 n / the sum of the n gaps from press to press of all keys, each clipped to 0..2,000 ms; 12,000
  because a word is five keys and a minute 60,000 ms. So long pauses count as two seconds;
- hold (ms): mean of release - press, each clipped to 0..1,000 ms;
- transition (ms): mean of next press - this release over *pairs*, consecutive keys of one session for which it lies in
  -1,000..1,500 ms: longer pauses are dropped, overlaps are negative and count;
- errors (%): backspaces and deletes per 100 keys.

Statistics: l = log of a hold (at least 10 ms) less its mean over the stretch; a = asinh(transition / 100), d = a less
its mean over the pairs; g = log of the gap from press to press (15 to 2,000 ms) less its mean.

- hold_q10_ms, hold_q90_ms: quantiles of holds; hold_space, hold_other (punctuation), hold_finger_1..8, hold_backspace:
  mean l of those keys; fingers are columns of a QWERTY keyboard, from the left little finger (1: q a z) by the two
  index fingers (4: r f v t g b, 5: y h n u j m) to the right little finger (8: p);
- transition_q90_ms: quantile over pairs; transition_left_left .. transition_from_space: mean d of pairs from hand to
  hand (within a hand between different fingers only), from a letter to the space bar and back;
- overlap_ms: geometric mean of the overlaps (at least 5 ms) of pairs that overlap; rollover_*: share of overlapping
  pairs in that class; hold_rolled: mean l of keys that are still down when the next one is pressed;
- hold_spread: deviation of l; transition_spread: deviation of a; hold_change: mean |l - the next key's l| over pairs;
  gap_persistence: mean of g times the next pair's g over *triples*;
- gap_mean_ms, gap_median_ms: geometric mean (gaps up to 1,500 ms) and median of the gaps of pairs; where every gap is
  longer, the mean and gap_persistence are missing;
- shift_lead_ms: geometric mean of the next key's press less the shift's (15..1,500 ms); shift_tail: mean of asinh of a
  hundredth of the next key's release less the shift's (-1,000..1,500 ms).

These are sums over keys of a class: neither text nor order of keys can be recovered from them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.events import CODE, KEYS, OTHER, Events
from ml.statistics import COUNTED_BY, COUNTS, STATISTICS, SUMMARY, WINDOW

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]

MODIFIERS: Final = ("shift", "ctrl", "alt", "capslock")
CORRECTIONS: Final = ("backspace", "delete")
WORD_MS: Final = 12_000.0
LONGEST_GAP_MS: Final = 2_000.0
SHORTEST_PAUSE_MS: Final = 1_500.0
_COLUMNS: Final = ("qaz1", "wsx2", "edc3", "rfvtgb45", "yhnujm67", "ik8", "ol9", "p0")
_FINGER: Final = np.array(
    [next((f for f, keys in enumerate(_COLUMNS) if k in keys), -1) for k in KEYS]
)
_LEFT: Final = (_FINGER >= 0) & (_FINGER < 4)
_RIGHT: Final = _FINGER >= 4


def _codes(names: tuple[str, ...]) -> Bools:
    return np.isin(np.arange(len(KEYS)), [CODE[name] for name in names])


_MODIFIER: Final = _codes(MODIFIERS)
_CORRECTION: Final = _codes(CORRECTIONS)


class Stretches:
    """Measures S stretches of typing at once."""

    def __init__(self, events: Events, stretch: Rows) -> None:
        """`stretch` (E,) says to which of 0..S-1 each event belongs, ascending; -1 leaves it out. No gap and no pair
        reaches from one session or stretch into another."""
        kept = stretch >= 0
        self._events = events.rows(kept)
        self._all = stretch[kept]
        self._session = self._events.pieces()
        self._count = int(self._all.max(initial=-1)) + 1
        self._found: dict[str, Floats] = {}

    def windows(self) -> Floats:
        """Four numbers, statistics (NaN = missing) and counts of each stretch, (S, 61), in natural units."""
        self._keys()
        self._plain()
        self._shifts()
        numbers = ("speed", "hold", "transition", "errors")
        columns = [self._found[name] for name in (*numbers, *STATISTICS, *COUNTS)]
        table = np.stack(columns, axis=1)
        for j, counted_by in enumerate(COUNTED_BY[len(SUMMARY) :], start=len(numbers)):
            table[self._found[counted_by] == 0, j] = np.nan
        assert table.shape == (self._count, WINDOW)
        return table

    def _keys(self) -> None:
        events, stretch = self._events, self._all
        keys = self._sum(stretch, np.ones(len(stretch)))
        follows = (np.diff(stretch) == 0) & (np.diff(self._session) == 0)
        gaps = np.clip(np.diff(events.press), 0.0, LONGEST_GAP_MS)[follows]
        total = self._sum(stretch[1:][follows], gaps)
        steps = self._sum(stretch[1:][follows], np.ones(len(gaps)))
        self._found["keys"] = keys
        self._found["speed"] = np.where(total > 0, WORD_MS * steps / np.maximum(total, 1e-9), 0.0)
        corrections = self._sum(stretch, _CORRECTION[events.key].astype(float))
        self._found["errors"] = 100.0 * corrections / np.maximum(keys, 1.0)

    def _plain(self) -> None:
        plain = ~_MODIFIER[self._events.key]
        events, stretch = self._events.rows(plain), self._all[plain]
        holds = np.clip(events.release - events.press, 0.0, 1_000.0)
        every = np.ones(len(stretch), dtype=bool)
        log_hold = np.log(np.maximum(holds, 10.0))
        relative = self._less_mean(stretch, log_hold, every)
        self._found["hold"], self._found["holds"] = self._mean(stretch, holds, every)
        squared, _ = self._mean(stretch, relative**2, every)
        self._found["hold_spread"] = np.sqrt(squared)
        for share, name in ((0.1, "hold_q10_ms"), (0.9, "hold_q90_ms")):
            self._found[name] = self._quantile(stretch, holds, share)
        classes: dict[str, tuple[str, Bools]] = {
            "hold_space": ("spaces", events.key == CODE["space"]),
            "hold_other": ("others", events.key == CODE[OTHER]),
            "hold_backspace": ("backspaces", events.key == CODE["backspace"]),
        }
        for finger in range(8):
            among = _FINGER[events.key] == finger
            classes[f"hold_finger_{finger + 1}"] = (f"finger_{finger + 1}", among)
        for name, (counted_by, among) in classes.items():
            self._put(name, counted_by, stretch, relative, among)
        follows = (np.diff(stretch) == 0) & (np.diff(self._session[plain]) == 0)
        self._pairs(events, stretch, relative, np.flatnonzero(follows))

    def _pairs(self, events: Events, stretch: Rows, relative: Floats, first: Rows) -> None:
        transition = events.press[first + 1] - events.release[first]
        kept = (transition >= -1_000.0) & (transition <= SHORTEST_PAUSE_MS)
        first, transition = first[kept], transition[kept]
        second, own = first + 1, stretch[first]
        every = np.ones(len(first), dtype=bool)
        gap = np.clip(events.press[second] - events.press[first], 0.0, LONGEST_GAP_MS)
        even = np.arcsinh(transition / 100.0)
        away = self._less_mean(own, even, every)
        self._found["transition"], self._found["pairs"] = self._mean(own, transition, every)
        self._found["transition_spread"] = np.sqrt(self._mean(own, away**2, every)[0])
        self._found["transition_q90_ms"] = self._quantile(own, transition, 0.9)
        self._found["gap_median_ms"] = np.maximum(self._quantile(own, gap, 0.5), 15.0)
        change = np.abs(relative[second] - relative[first])
        self._found["hold_change"] = self._mean(own, change, every)[0]
        overlaps = transition < 0
        self._put("hold_rolled", "overlaps", own, relative[first], overlaps)
        overlap, _ = self._mean(own, np.log(np.maximum(-transition, 5.0)), overlaps)
        self._found["overlap_ms"] = np.exp(overlap)
        self._classes(events.key[first], events.key[second], own, away, overlaps)
        self._gaps(own, np.log(np.maximum(gap, 15.0)), gap <= SHORTEST_PAUSE_MS, first)

    def _classes(self, one: Rows, other: Rows, own: Rows, away: Floats, overlaps: Bools) -> None:
        elsewhere = _FINGER[one] != _FINGER[other]
        space = CODE["space"]
        classes = {
            "left_left": _LEFT[one] & _LEFT[other] & elsewhere,
            "right_right": _RIGHT[one] & _RIGHT[other] & elsewhere,
            "left_right": _LEFT[one] & _RIGHT[other],
            "right_left": _RIGHT[one] & _LEFT[other],
            "to_space": (_FINGER[one] >= 0) & (other == space),
            "from_space": (one == space) & (_FINGER[other] >= 0),
        }
        for name, among in classes.items():
            self._put(f"transition_{name}", name, own, away, among)
            if f"rollover_{name}" in STATISTICS:
                self._put(f"rollover_{name}", name, own, overlaps.astype(float), among)

    def _gaps(self, own: Rows, log_gap: Floats, ordinary: Bools, first: Rows) -> None:
        mean, count = self._mean(own, log_gap, ordinary)
        mean = np.where(count > 0, mean, np.nan)  # a stretch of nothing but long gaps has no mean
        self._found["gap_mean_ms"] = np.exp(mean)
        away = log_gap - mean[own]
        triple = (np.diff(first) == 1) & (np.diff(own) == 0)
        product = away[1:] * away[:-1]
        self._put("gap_persistence", "triples", own[1:], product, triple)
        self._found["gap_persistence"] = np.clip(self._found["gap_persistence"], -10.0, 10.0)

    def _shifts(self) -> None:
        events, stretch = self._events, self._all
        follows = (np.diff(stretch) == 0) & (np.diff(self._session) == 0)
        used = follows & (events.key[:-1] == CODE["shift"]) & ~_MODIFIER[events.key[1:]]
        shift = np.flatnonzero(used)
        every, own = np.ones(len(shift), dtype=bool), stretch[shift]
        lead = np.clip(events.press[shift + 1] - events.press[shift], 15.0, 1_500.0)
        tail = np.clip(events.release[shift + 1] - events.release[shift], -1_000.0, 1_500.0)
        self._put("shift_tail", "shifts", own, np.arcsinh(tail / 100.0), every)
        self._found["shift_lead_ms"] = np.exp(self._mean(own, np.log(lead), every)[0])

    def _put(self, name: str, counted_by: str, stretch: Rows, values: Floats, among: Bools) -> None:
        self._found[name], self._found[counted_by] = self._mean(stretch, values, among)

    def _sum(self, stretch: Rows, values: Floats) -> Floats:
        return np.bincount(stretch, values, self._count).astype(np.float64)

    def _mean(self, stretch: Rows, values: Floats, among: Bools) -> tuple[Floats, Floats]:
        count = np.bincount(stretch[among], minlength=self._count).astype(float)
        return self._sum(stretch[among], values[among]) / np.maximum(count, 1.0), count

    def _less_mean(self, stretch: Rows, values: Floats, among: Bools) -> Floats:
        return np.asarray(values - self._mean(stretch, values, among)[0][stretch])

    def _quantile(self, stretch: Rows, values: Floats, share: float) -> Floats:
        """Linear between the two nearest values, as `numpy.quantile`; 0 for a stretch without any."""
        if not len(values):
            return np.zeros(self._count)
        ordered = values[np.lexsort((values, stretch))]
        count = np.bincount(stretch, minlength=self._count)
        start = np.cumsum(count) - count
        place = share * np.maximum(count - 1, 0)
        below = np.minimum(np.floor(place).astype(np.int64), np.maximum(count - 1, 0))
        part = place - below
        low = ordered[np.minimum(start + below, len(ordered) - 1)]
        above = np.minimum(below + 1, np.maximum(count - 1, 0))
        high = ordered[np.minimum(start + above, len(ordered) - 1)]
        return np.where(count > 0, (1.0 - part) * low + part * high, 0.0)
