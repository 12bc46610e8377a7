from __future__ import annotations

from api.standing import BURST_SECONDS, Standing

LONG = BURST_SECONDS * 1.01


def test_a_count_below_the_level_never_stands() -> None:
    standing = Standing(3)
    standing.see(2, 0.0)
    assert not standing.stands(1e9)


def test_a_burst_does_not_stand_and_what_lasts_longer_does() -> None:
    standing = Standing(3)
    standing.see(3, 0.0)
    standing.see(9, BURST_SECONDS / 2)
    assert not standing.stands(BURST_SECONDS)
    assert standing.stands(LONG)


def test_falling_below_the_level_once_begins_anew() -> None:
    standing = Standing(3)
    standing.see(5, 0.0)
    standing.see(2, BURST_SECONDS / 2)
    standing.see(5, BURST_SECONDS)
    assert not standing.stands(LONG)
    assert standing.stands(BURST_SECONDS + LONG)
