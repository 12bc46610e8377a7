from __future__ import annotations

import math
import random

from prometheus_client import CollectorRegistry, Histogram

from api.distribution import LOT, Distribution
from api.metrics import ApiMetrics

BOUNDS = (0.1, 0.5, 1.0)


def samples(registry: CollectorRegistry) -> dict[str, float]:
    """Every sample of the one histogram but its age, by name and bound, and the sum to three digits."""
    (family,) = registry.collect()
    found = {each.name + each.labels.get("le", ""): each.value for each in family.samples}
    return {name: round(value, 3) for name, value in found.items() if name != "x_created"}


def test_a_lot_leaves_what_one_observation_after_the_other_would() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    lots = Distribution(Histogram("x", "x", buckets=BOUNDS, registry=ours))
    single = Histogram("x", "x", buckets=BOUNDS, registry=theirs)
    draw = random.Random(5)
    for value in [*BOUNDS, 0.0, -1.0, 1e9, *(draw.random() * 2 for _ in range(3 * LOT))]:
        lots.observe(value)
        single.observe(value)
    lots.enter()
    assert samples(ours) == samples(theirs)


def test_no_more_than_a_lot_is_kept_back() -> None:
    registry = CollectorRegistry()
    lots = Distribution(Histogram("x", "x", buckets=BOUNDS, registry=registry), lot=3)
    counts = []
    for _ in range(7):
        lots.observe(0.2)
        counts.append(samples(registry)["x_count"])
    assert counts == [0, 0, 3, 3, 3, 6, 6]


def test_a_look_at_the_registry_shows_all_that_was_observed() -> None:
    metrics = ApiMetrics()
    metrics.observe_request("/predict", "POST", 200, 0.25)
    metrics.observe_request("/predict", "POST", 503, 0.75)
    labels = {"route": "/predict"}
    name = "biometrics_request_seconds"
    assert metrics.registry.get_sample_value(f"{name}_count", labels) == 2
    total = metrics.registry.get_sample_value(f"{name}_sum", labels)
    assert total is not None
    assert math.isclose(total, 1.0)
    for status in ("200", "503"):
        found = {**labels, "method": "POST", "status": status}
        assert metrics.registry.get_sample_value("biometrics_requests_total", found) == 1
