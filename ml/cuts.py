"""Key events cut in other ways than the file does: several sessions as one, and stretches of so many keys."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.events import Events
from ml.keystrokes import Stretches
from ml.statistics import COUNTS, STATISTICS, pool_many
from ml.windows import GREATEST, LEAST, MIN_TRANSITIONS, TypedSessions

Rows = NDArray[np.int64]


def together(events: Events, typed: TypedSessions, after: int, many: int) -> SessionTable:
    """Each `many` of a person's sessions in a row become one, from the person's session number `after` on (0: first).

    The four numbers are those of all their keys, the derived rows are pooled. A rest is left out.
    """
    order = np.lexsort((typed.session, typed.unix_seconds, typed.user))
    user = typed.user[order]
    place = np.arange(len(user)) - np.searchsorted(user, user) - after
    last = np.searchsorted(user, user, side="right") - np.searchsorted(user, user) - after
    kept = (place >= 0) & (place // many < last // many)
    group = _counted_up(user[kept], place[kept] // many)
    names = zip(user[kept].tolist(), typed.session[order][kept].tolist(), strict=True)
    wanted = dict(zip(names, group.tolist(), strict=True))
    number, begin = np.unique(events.sessions(), return_index=True)
    found = zip(events.user[begin].tolist(), events.session[begin].tolist(), strict=True)
    owner = np.array([wanted.get(name, -1) for name in found], dtype=np.int64)  # by session
    return _pooled(events, number, owner)


def joined(events: Events, many: int) -> Events:
    """Each `many` of a person's sessions in a row become one, numbered 0, 1, ..; a rest is left out.

    No pair and no gap reaches from one of the old sessions into the next.
    """
    in_time = events.rows(np.lexsort((events.press, events.session, events.start_ms, events.user)))
    old = in_time.sessions()  # (E,)
    begin = np.flatnonzero(np.diff(old, prepend=-1))
    user = in_time.user[begin]  # (S,)
    place = np.arange(len(user)) - np.searchsorted(user, user)
    last = np.searchsorted(user, user, side="right") - np.searchsorted(user, user)
    new = place // many
    start = in_time.start_ms[begin][np.arange(len(user)) - place % many]  # (S,) of the first
    later = (in_time.start_ms[begin] - start)[old].astype(np.float64)
    whole = Events(
        in_time.user,
        new[old],
        start[old],
        in_time.press + later,
        in_time.release + later,
        in_time.key,
        old,
    )
    return whole.rows((new < last // many)[old])


def stretches(events: Events, keys: int) -> SessionTable:
    """All keys of a person in order, cut every `keys`; a rest is left out. No pair crosses a session's edge.

    Stretches with hardly a pair in them are left out, as such sessions are.
    """
    place = np.arange(len(events)) - np.searchsorted(events.user, events.user)
    many = np.searchsorted(events.user, events.user, side="right") - (
        np.arange(len(events)) - place
    )
    whole = place // keys < many // keys
    stretch = np.full(len(events), -1)
    stretch[whole] = _counted_up(events.user[whole], place[whole] // keys)
    windows = Stretches(events, stretch).windows()
    begin = np.flatnonzero(whole)[::keys]
    pairs = windows[:, 4 + len(STATISTICS) + COUNTS.index("pairs")]
    table = SessionTable(
        events.user[begin],
        (events.start_ms[begin] + events.press[begin].astype(np.int64)) // 1000,
        np.clip(windows[:, :4], LEAST, GREATEST),
        pool_many(windows, np.arange(len(windows)), len(windows)),
    )
    return table.rows((pairs >= MIN_TRANSITIONS) & (windows[:, 0] > 0))


def evenly(table: SessionTable, most: int) -> SessionTable:
    """At most `most` sessions of each person, spread evenly over what is there."""
    ordered = table.sorted()
    first = np.searchsorted(ordered.user, ordered.user)
    many = np.searchsorted(ordered.user, ordered.user, side="right") - first
    place = np.arange(len(ordered)) - first
    last_of_its_share = (place + 1) * most // np.maximum(many, 1) > place * most // np.maximum(
        many, 1
    )
    return ordered.rows((many <= most) | last_of_its_share)


def _pooled(events: Events, number: Rows, owner: Rows) -> SessionTable:
    """The sessions `number` (S,) of the events, joined as `owner` (S,) says, -1: left out."""
    each = np.searchsorted(number, events.sessions())  # (E,)
    kept = owner >= 0
    single = np.where(kept, np.cumsum(kept) - 1, -1)  # 0, 1, 2, .. in place of what is kept
    # Groups follow one another in time, their sessions perhaps not in the order of the file.
    by_group = np.argsort(owner[each], kind="stable")
    sorted_events, sorted_owner = events.rows(by_group), owner[each][by_group]
    whole = Stretches(sorted_events, sorted_owner).windows()
    windows = Stretches(events, single[each]).windows()
    order = np.argsort(owner[kept], kind="stable")
    begin = np.searchsorted(sorted_owner, np.arange(len(whole)))
    return SessionTable(
        sorted_events.user[begin],
        sorted_events.start_ms[begin] // 1000,
        np.clip(whole[:, :4], LEAST, GREATEST),
        pool_many(windows[order], owner[kept][order], len(whole)),
    )


def _counted_up(*columns: Rows) -> Rows:
    """0, 0, 1, ..: a number that grows by one wherever a column changes."""
    if not len(columns[0]):
        return np.zeros(0, dtype=np.int64)
    moved = np.any([np.diff(column) != 0 for column in columns], axis=0)
    return np.concatenate([[0], np.cumsum(moved)])
