from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.blocks import BLOCK
from ml.scorer import ROWS_AT_ONCE, Scorer, reconstruction_error
from ml.sessions import Sessions
from tests.ml.any_sessions import any_numbers, any_sessions


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3 * BLOCK))
def test_a_row_gets_the_same_bits_alone_and_in_any_batch(
    shipped: Scorer, seed: int, rows: int
) -> None:
    rng = np.random.default_rng(seed)
    batch = any_sessions(rows, 50, rng)
    together = shipped.probability(batch)
    order = rng.permutation(rows)
    assert shipped.probability(batch[order]).tobytes() == together[order].tobytes()
    for row in rng.integers(0, rows, 3):
        alone = batch[np.array([row])]
        assert shipped.probability(alone)[0] == together[row]
        assert shipped.score(alone).confidence[0] == shipped.score(batch).confidence[row]


@pytest.mark.parametrize("rows", [1, 9, ROWS_AT_ONCE["cpu"] + 3])
def test_what_is_said_of_sessions_before_their_histories_are_known_moves_no_bit(
    shipped: Scorer, rows: int
) -> None:
    batch = any_sessions(rows, 50, np.random.default_rng(rows))
    batch.current[0, 1] = np.nan
    alone = shipped.alone(batch.current, batch.derived)
    late, early = shipped.score(batch), shipped.score(batch, alone)
    for name in ("confidence", "anomaly", "importance", "implausible"):
        assert getattr(late, name).tobytes() == getattr(early, name).tobytes(), name
    assert np.isnan(early.anomaly[0])
    assert np.array_equal(alone.anomaly[1:], early.anomaly[1:])


def test_confidence_is_the_rounded_probability(shipped: Scorer) -> None:
    sessions = any_sessions(500, 30, np.random.default_rng(0))
    confidence = shipped.score(sessions).confidence
    assert np.abs(confidence - 100 * shipped.probability(sessions)).max() <= 0.5
    assert confidence.min() >= 0
    assert confidence.max() <= 100


def test_without_history_the_score_is_fifty_and_no_channel_is_blamed(shipped: Scorer) -> None:
    current = any_numbers(200, np.random.default_rng(1))
    scores = shipped.score(Sessions(current, np.zeros((200, 0, 4)), np.zeros(200, dtype=np.int64)))
    assert set(scores.confidence) == {50}
    assert np.array_equal(scores.importance, np.full((200, 6), 1 / 6))


def test_every_score_is_within_its_range(shipped: Scorer) -> None:
    scores = shipped.score(any_sessions(1_000, 50, np.random.default_rng(2)))
    assert ((scores.anomaly >= 0) & (scores.anomaly <= 1)).all()
    assert (scores.importance >= 0).all()
    assert scores.importance.sum(axis=1) == pytest.approx(np.ones(1_000))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([np.nan, np.inf, -np.inf]),
    st.integers(0, 3),
    st.booleans(),
)
def test_a_number_that_is_not_finite_never_becomes_a_score_and_harms_no_other_row(
    shipped: Scorer, seed: int, broken: float, field: int, in_the_past: bool
) -> None:
    rng = np.random.default_rng(seed)
    batch = any_sessions(40, 10, rng)
    whole = shipped.score(batch)
    bad = rng.random(40) < 0.2
    current, history = batch.current.copy(), batch.history.copy()
    if in_the_past:
        bad &= batch.counts > 0
        history[bad, 0, field] = broken
    else:
        current[bad, field] = broken
    scores = shipped.score(Sessions(current, history, batch.counts))
    assert np.array_equal(np.isnan(scores.anomaly), bad)
    assert (scores.confidence[bad] == 0).all()
    assert np.array_equal(scores.confidence[~bad], whole.confidence[~bad])
    assert np.array_equal(scores.anomaly[~bad], whole.anomaly[~bad])
    assert np.array_equal(scores.importance[~bad], whole.importance[~bad])


def test_an_empty_batch_has_empty_scores(shipped: Scorer) -> None:
    empty = Sessions(np.zeros((0, 4)), np.zeros((0, 0, 4)), np.zeros(0, dtype=np.int64))
    scores = shipped.score(empty)
    assert scores.confidence.shape == (0,)
    assert scores.importance.shape == (0, 6)


def test_one_after_the_other_the_users_own_and_another_typist_are_told_apart(
    shipped: Scorer,
) -> None:
    own = np.array([63.0, 118.0, 77.0, 3.0])
    history = own * np.random.default_rng(3).normal(1, 0.05, (2, 10, 4))
    current = np.array([[65.0, 120.0, 70.0, 2.0], [40.0, 85.0, 190.0, 9.0]])
    own_score, other_score = shipped.score(
        Sessions(current, history, np.full(2, 10))
    ).confidence.tolist()
    assert own_score >= 85
    assert other_score <= 10


def test_more_evidence_of_one_kind_never_lowers_the_score(shipped: Scorer) -> None:
    own = np.array([63.0, 118.0, 77.0, 3.0])
    history = np.tile(own, (40, 10, 1)) * np.random.default_rng(4).normal(1, 0.05, (1, 10, 4))
    away = np.linspace(0.0, 0.8, 40)[:, None]
    further = own * (1 + away * [-1.0, 1.0, 1.0, 1.0])  # and further from the history
    current = np.round(further, 1)  # an error rate in full would tell a length for each row
    confidence = shipped.score(Sessions(current, history, np.full(40, 10))).confidence
    assert (np.diff(confidence) <= 0).all()
    assert confidence[0] > 85
    assert confidence[-1] <= 2


@pytest.mark.parametrize(
    "absurd",
    [
        [60.0, 200.0, 500.0, 0.0],  # 200 ms a key, yet 700 ms from key to key
        [400.0, 100.0, 100.0, 0.0],
        [20.0, 50.0, 50.0, 0.0],
        [60.0, 10.0, 10.0, 0.0],
        [200.0, 1.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 0.0],
        [5.0, 5_000.0, 10_000.0, 50.0],
        [100.0, 60.0, 60.0, 100.0],
    ],
)
def test_what_no_person_types_is_anomalous(shipped: Scorer, absurd: list[float]) -> None:
    assert shipped.anomaly(np.array([absurd]))[0] > 0.99


def test_the_ordinary_session_is_not_anomalous(shipped: Scorer) -> None:
    ordinary = np.array([[55.0, 105.0, 113.0, 2.1], [75.0, 95.0, 65.0, 4.2]])
    assert (shipped.anomaly(ordinary) < 0.9).all()


def test_a_reconstruction_error_grows_with_the_distance() -> None:
    given_, rebuilt = np.zeros((3, 6)), np.zeros((3, 6))
    rebuilt[:, 0] = [0.0, 1.0, 2.0]
    errors = reconstruction_error(given_, rebuilt)
    assert errors[1:].tolist() == pytest.approx([0.0, np.log(4.0)], abs=1e-9)
    assert errors[0] < -20


def test_warming_up_changes_no_score(shipped: Scorer) -> None:
    sessions = any_sessions(20, 10, np.random.default_rng(5))
    before = shipped.score(sessions)
    shipped.warm_up()
    after = shipped.score(sessions)
    assert np.array_equal(before.confidence, after.confidence)
    assert np.array_equal(before.importance, after.importance)


def test_the_rooms_without_a_network_load_without_torch() -> None:
    modules = "ml.sessions, ml.features, ml.evidence, ml.dataset, ml.synthetic"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("rows", [ROWS_AT_ONCE["cpu"] + 1, 3 * ROWS_AT_ONCE["cpu"]])
def test_a_batch_that_is_scored_in_parts_has_every_rows_answer_in_order(
    shipped: Scorer, rows: int
) -> None:
    sessions = any_sessions(rows, 12, np.random.default_rng(rows))
    together = shipped.score(sessions)
    for row in (0, ROWS_AT_ONCE["cpu"] - 1, ROWS_AT_ONCE["cpu"], rows - 1):
        alone = shipped.score(sessions[row : row + 1])
        assert alone.confidence[0] == together.confidence[row]
        assert alone.anomaly.tobytes() == together.anomaly[row : row + 1].tobytes()
        assert alone.importance[0] == pytest.approx(together.importance[row], abs=1e-5)
