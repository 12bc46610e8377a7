from __future__ import annotations

import numpy as np
import pytest

from ml.attacks_bots import KEYS, bots, flagged, genuine_flagged, type_like
from ml.dataset import SessionTable
from ml.protocol import first_sessions
from ml.scorer import Scorer
from tests.ml.attacked_service import service_of


def test_each_kind_types_as_it_is_called() -> None:
    rng = np.random.default_rng(0)
    constant = type_like("constant", 30, rng)
    hold = (constant.release - constant.press).reshape(30, KEYS)
    assert (np.ptp(hold, axis=1) <= 1.0).all()
    rounded = type_like("rounded", 30, rng)
    assert (rounded.press % 10 == 0).all()
    assert (rounded.release % 10 == 0).all()
    assert np.ptp(rounded.release - rounded.press) > 50
    uniform = type_like("uniform", 30, rng)
    hold = uniform.release - uniform.press
    assert hold.min() >= 20.0
    assert hold.max() <= 300.0
    assert np.bincount(uniform.user).tolist() == [KEYS] * 30


def test_constant_timing_is_flagged_in_rich_windows(shipped: Scorer) -> None:
    found = bots(service_of(shipped), "constant", True, 100, np.random.default_rng(1))
    assert found.mean() >= 0.99


def test_people_are_seldom_flagged(shipped: Scorer, crowd: SessionTable) -> None:
    people = first_sessions(crowd, 8, True)
    service = service_of(shipped)
    share = genuine_flagged(service, people)
    assert share.shape == (120,)
    assert share.mean() < 0.1
    assert share.mean() == pytest.approx(flagged(service, people.later, True).mean())
