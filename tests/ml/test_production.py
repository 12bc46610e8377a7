"""The shipped model is the one that its recipe describes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ml import production, registry
from ml.fitting import Fitted
from ml.samples import Samples
from tests.ml.conftest import ROOT

MODEL = ROOT / "models/production/model.pth"


def test_the_shipped_model_was_trained_on_the_data_of_the_recipe() -> None:
    entries = registry.manifest(MODEL)
    assert entries.version == production.VERSION
    assert entries.data["sha256"] == production.digest(production.data())
    assert entries.data["samples"] == production.SAMPLES
    assert entries.seeds == {
        "data": production.DATA_SEED,
        "training": production.TRAINING_SEED,
        "evaluation": production.EVALUATION_SEED,
    }


def test_the_shipped_manifest_holds_figures_on_real_people_with_intervals() -> None:
    entries = registry.manifest(MODEL)
    people = entries.figures["real_people"]
    assert people["counts"]["people"] == 559
    eer = people["figures"]["eer"]
    assert eer["low"] < eer["value"] < eer["high"] < 0.045  # rich
    assert people["figures"]["auc"]["value"] > 0.99
    assert entries.thresholds["equal_error"]["far"] < 0.15


def test_the_digest_sees_every_column(samples: Samples) -> None:
    table = samples.sessions
    others = [
        replace(samples, kind=np.where(samples.kind == "bot", "other", samples.kind)),
        replace(samples, sessions=replace(table, user=table.user + 1)),
        replace(samples, sessions=replace(table, features=table.features + 1e-12)),
        replace(samples, sessions=replace(table, unix_seconds=table.unix_seconds + 1)),
    ]
    digests = {production.digest(each) for each in [samples, *others]}
    assert len(digests) == 5
    assert production.digest(samples) in digests


def test_test_people_are_not_the_people_trained_on() -> None:
    trained, tested = production.data().genuine(), production.test_data().genuine()
    assert not np.isin(tested.features[:, 1], trained.features[:, 1]).any()


def test_a_manifest_holds_no_time_of_day(samples: Samples, fitted: Fitted) -> None:
    first, second = (production.manifest(samples, fitted) for _ in range(2))
    assert first == second
    assert first["data"]["legitimate"] == samples.legitimate.sum()
