from __future__ import annotations

import numpy as np
import pytest

from ml import attacks

VICTIMS = np.tile([60.0, 100.0, 90.0, 4.0], (1_000, 1))


def test_bots_lie_in_the_ranges_of_a_request() -> None:
    made = attacks.bots(2_000, np.random.default_rng(0))
    assert (made >= [0, 0, -1_000, 0]).all()
    assert (made <= [400, 5_000, 10_000, 100]).all()


def test_most_bots_contradict_themselves_or_outrun_people() -> None:
    speed, hold, transition, _ = attacks.bots(2_000, np.random.default_rng(1)).T
    stretch = np.log((60_000 / (5 * speed)) / np.maximum(hold + transition, 1))
    assert ((np.abs(stretch) > 0.3) | (speed > 220) | (hold < 10)).mean() > 0.85


def test_a_replay_differs_by_nothing_or_by_one_millisecond_in_one_field() -> None:
    away = np.abs(attacks.replays(VICTIMS, np.random.default_rng(2)) - VICTIMS)
    assert set(away.sum(axis=1)) == {0.0, 1.0}
    assert (away[:, [0, 3]] == 0).all()
    assert (away.sum(axis=1) == 0).mean() == pytest.approx(0.5, abs=0.06)


def test_a_replay_leaves_the_recorded_sessions_as_they_are() -> None:
    recorded = VICTIMS.copy()
    attacks.replays(recorded, np.random.default_rng(3))
    assert np.array_equal(recorded, VICTIMS)


def test_a_mimic_meets_each_time_within_about_fifteen_percent() -> None:
    ratio = attacks.mimics(VICTIMS, np.random.default_rng(4))[:, :3] / VICTIMS[:, :3]
    assert ratio.std(axis=0).tolist() == pytest.approx([0.15] * 3, rel=0.1)
    assert ratio.mean() == pytest.approx(1.0, abs=0.02)
