from __future__ import annotations

import numpy as np

from ml.aalto import aalto, summary_population
from ml.evidence import Evidence, Tails
from ml.lessons import rich_lessons
from ml.synthetic import people


def test_lessons_tell_people_apart_and_weigh_both_sides_alike() -> None:
    evidence = Evidence(summary_population(), Tails(), aalto().population)
    table = people(aalto(), np.full(60, 15), np.random.default_rng(0))
    lessons = rich_lessons(evidence, table, 3_000, np.random.default_rng(1))
    joint = lessons.channels.sum(axis=1)
    assert 0.49 < lessons.genuine.mean() < 0.53
    assert np.median(joint[lessons.genuine]) > 2.0
    assert np.median(joint[~lessons.genuine]) < -4.0
    assert np.isin(lessons.user, table.user).all()


def test_people_without_windows_teach_nothing_rich() -> None:
    evidence = Evidence(summary_population(), Tails(), aalto().population)
    table = people(aalto(), np.full(5, 15), np.random.default_rng(0)).plain()
    assert len(rich_lessons(evidence, table, 100, np.random.default_rng(1))) == 0
