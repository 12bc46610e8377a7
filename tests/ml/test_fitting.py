from __future__ import annotations

import numpy as np
import pytest
import torch

from ml.fitting import (
    Fitted,
    comparisons,
    equal_error_confidence,
    fit_model,
    own_samples,
    validation_users,
)
from ml.metrics import Scored
from ml.samples import Samples
from ml.training import Settings


def test_a_small_model_already_tells_people_apart(fitted: Fitted) -> None:
    assert fitted.figures["auc"]["value"] > 0.88
    assert fitted.figures["eer"]["low"] < fitted.figures["eer"]["value"] < 0.2


def test_fitting_twice_gives_the_same_model(samples: Samples) -> None:
    few = samples.rows(samples.sessions.user < 30)
    settings = Settings(epochs=1, seed=4)
    first, second = (fit_model(few, settings, "1.0.0", lambda *_: None) for _ in range(2))
    assert first.figures == second.figures
    assert first.thresholds == second.thresholds
    for one, other in zip(
        first.model.network.parameters(), second.model.network.parameters(), strict=True
    ):
        assert torch.equal(one, other)
    assert first.model.error_quantiles.tobytes() == second.model.error_quantiles.tobytes()


def test_one_user_in_five_validates_and_none_is_split(samples: Samples) -> None:
    chosen = validation_users(samples, np.random.default_rng(0))
    users = samples.sessions.users()
    assert len(chosen) == -(-len(users) // 5)
    assert len(np.unique(chosen)) == len(chosen)
    assert np.isin(chosen, users).all()


def test_the_split_is_stratified_by_impostors(samples: Samples) -> None:
    held = np.isin(samples.sessions.user, validation_users(samples, np.random.default_rng(1)))
    inside, outside = (samples.legitimate[side].mean() for side in (held, ~held))
    assert inside == pytest.approx(outside, abs=0.03)


def test_too_few_users_to_hold_any_out_are_refused(samples: Samples) -> None:
    few = samples.rows(samples.sessions.user < 9)
    with pytest.raises(ValueError, match="9 users; 10 are needed"):
        validation_users(few, np.random.default_rng(0))


def test_mimics_teach_nothing(samples: Samples) -> None:
    trials = comparisons(samples, np.random.default_rng(0))
    taught = {row.tobytes() for row in trials.sessions.current[~trials.genuine]}
    mimics = samples.rows(samples.kind == "mimic").sessions.features
    assert len(mimics) > 0
    assert not taught & {row.tobytes() for row in mimics}


def test_the_threshold_is_where_both_errors_are_nearest() -> None:
    probability = np.array([0.1, 0.3, 0.6, 0.4, 0.7, 0.9])
    genuine = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    assert equal_error_confidence(Scored(probability, genuine, np.arange(6))) == 60


def test_a_table_of_own_sessions_is_all_genuine(samples: Samples) -> None:
    assert own_samples(samples.genuine()).legitimate.all()
