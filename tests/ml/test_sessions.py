from __future__ import annotations

import numpy as np
import pytest

from ml.sessions import Sessions
from ml.statistics import DERIVED


def test_a_batch_may_have_no_history_at_all() -> None:
    sessions = Sessions(np.ones((2, 4)), np.zeros((2, 0, 4)), np.zeros(2, dtype=np.int64))
    assert len(sessions) == 2


def test_an_empty_batch_is_a_batch() -> None:
    empty = Sessions(np.zeros((0, 4)), np.zeros((0, 0, 4)), np.zeros(0, dtype=np.int64))
    assert len(empty) == 0


def test_chosen_rows_keep_their_histories() -> None:
    current = np.arange(12.0).reshape(3, 4)
    history = np.arange(24.0).reshape(3, 2, 4)
    counts = np.array([0, 1, 2])
    chosen = Sessions(current, history, counts)[np.array([2, 0])]
    assert chosen.current.tolist() == current[[2, 0]].tolist()
    assert chosen.history.tolist() == history[[2, 0]].tolist()
    assert chosen.counts.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("current", "history", "counts", "complaint"),
    [
        ((2, 5), (2, 1, 4), [0, 0], "current"),
        ((2, 4), (3, 1, 4), [0, 0], "history"),
        ((2, 4), (2, 1, 3), [0, 0], "history"),
        ((2, 4), (2, 4), [0, 0], "history"),
        ((2, 4), (2, 1, 4), [0], "counts"),
        ((2, 4), (2, 1, 4), [0, 2], "counts"),
        ((2, 4), (2, 1, 4), [-1, 0], "counts"),
    ],
)
def test_shapes_that_do_not_fit_together_are_refused(
    current: tuple[int, ...], history: tuple[int, ...], counts: list[int], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        Sessions(np.zeros(current), np.zeros(history), np.array(counts))


def test_only_numbers_that_count_must_be_finite() -> None:
    sessions = Sessions(np.ones((4, 4)), np.ones((4, 3, 4)), np.array([0, 1, 2, 3]))
    sessions.history[:, 1, 2] = np.nan
    assert sessions.finite().tolist() == [True, True, False, False]
    sessions.current[0, 3] = np.inf
    assert sessions.finite().tolist() == [False, True, False, False]


def test_what_is_derived_goes_with_its_rows() -> None:
    rng = np.random.default_rng(0)
    sessions = Sessions(
        np.ones((3, 4)),
        np.ones((3, 2, 4)),
        np.array([0, 1, 2]),
        rng.random((3, DERIVED)),
        rng.random((3, 2, DERIVED)),
        rng.random((3, 2)),
    )
    chosen = sessions[np.array([2, 0])]
    assert chosen.derived is not None
    assert sessions.derived is not None
    assert np.array_equal(chosen.derived, sessions.derived[[2, 0]])
    assert chosen.past_derived is not None
    assert chosen.past_derived.shape == (2, 2, DERIVED)
    assert chosen.ages_hours is not None
    assert chosen.ages_hours.shape == (2, 2)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("derived", (2, 57)), ("past_derived", (2, 2, DERIVED)), ("ages_hours", (2, 2))],
)
def test_what_is_derived_must_fit(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=f"{name} must be"):
        Sessions(np.ones((2, 4)), np.ones((2, 1, 4)), np.array([1, 1]), **{name: np.zeros(shape)})


def test_derived_numbers_that_count_must_be_finite() -> None:
    derived, past = np.zeros((3, DERIVED)), np.zeros((3, 2, DERIVED))
    derived[0, 3] = np.nan
    past[1, 0, 5] = np.inf
    past[2, 1, 5] = np.inf  # padding
    sessions = Sessions(np.ones((3, 4)), np.ones((3, 2, 4)), np.array([1, 1, 1]), derived, past)
    assert sessions.finite().tolist() == [False, False, True]
