from __future__ import annotations

import numpy as np
import pytest

from ml.aalto import aalto
from ml.dataset import SessionTable
from ml.evaluation import Evaluation, on_people, on_samples, without_history
from ml.samples import Samples, generate
from ml.scorer import Scorer


@pytest.fixture(scope="module")
def on_synthetic(shipped: Scorer) -> Evaluation:
    fresh = generate(aalto(), 4_000, 0.5, np.random.default_rng(99))
    return on_samples(shipped, fresh, 66, np.random.default_rng(0), resamples=20)


def test_every_kind_of_sample_is_counted(on_synthetic: Evaluation) -> None:
    kinds = on_synthetic.details["kinds"]
    assert set(kinds) == {"genuine", "other", "bot", "replay", "mimic"}
    compared = sum(kind["comparisons"] for kind in kinds.values())
    assert compared == on_synthetic.counts["genuine"] + on_synthetic.counts["impostor"]


def test_acceptance_by_kind_is_that_of_the_whole(on_synthetic: Evaluation) -> None:
    kinds = on_synthetic.details["kinds"]
    assert kinds["genuine"]["accepted"] == pytest.approx(1 - on_synthetic.figures["frr"]["value"])
    others = [kinds[kind] for kind in kinds if kind != "genuine"]
    accepted = sum(kind["accepted"] * kind["comparisons"] for kind in others)
    assert accepted / on_synthetic.counts["impostor"] == pytest.approx(
        on_synthetic.figures["far"]["value"]
    )


def test_bots_are_flagged_and_people_are_not(on_synthetic: Evaluation) -> None:
    kinds = on_synthetic.details["kinds"]
    assert kinds["bot"]["anomalous"] > 0.9
    assert kinds["genuine"]["anomalous"] < 0.03


def test_a_sample_without_a_past_is_not_compared(shipped: Scorer, samples: Samples) -> None:
    measured = on_samples(shipped, samples, 66, np.random.default_rng(0), resamples=5)
    users = len(samples.genuine().users())
    assert measured.counts["genuine"] == samples.legitimate.sum() - users


def test_longer_histories_tell_people_apart_better(shipped: Scorer, crowd: SessionTable) -> None:
    auc = [
        on_people(shipped, crowd, 66, np.random.default_rng(0), enrol=k, resamples=5).figures["auc"]
        for k in (1, 15)
    ]
    assert 1.0 - auc[1]["value"] < 0.5 * (1.0 - auc[0]["value"])


def test_the_entry_holds_counts_figures_and_details(shipped: Scorer, crowd: SessionTable) -> None:
    measured = on_people(shipped, crowd, 66, np.random.default_rng(0), enrol=5, resamples=5)
    entry = measured.entry()
    assert entry["counts"] == {"people": 120, "genuine": 120 * 15, "impostor": 120 * 40}
    assert entry["enrolled_sessions"] == 5
    assert set(entry["figures"]) >= {"accuracy", "precision", "recall", "f1", "far", "frr", "auc"}
    assert set(entry["anomaly_above"]) == {"0.5", "0.9", "0.95", "0.99"}


def test_without_history_every_confidence_is_fifty(shipped: Scorer, crowd: SessionTable) -> None:
    blind = without_history(shipped, crowd, np.random.default_rng(0))
    assert blind["auc"] == pytest.approx(0.5)
    assert blind["least_confidence"] == blind["greatest_confidence"] == 50
