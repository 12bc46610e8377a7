"""The service as a contestant: its histories, its settings, its peers' settings."""

from __future__ import annotations

import pytest
from limits import parse_many
from redis import Redis

from api.identity import Identities
from bench.contestant import Contestant
from bench.peers import lineup
from bench.people import HISTORY, People
from bench.service import HASH_KEY, RATE_LIMITS, environment, in_process, remember, service
from tests.e2e.service import ROOT
from worker.history import History


def test_everybodys_history_lies_where_the_worker_looks(redis_url: str) -> None:
    url = redis_url[:-1] + "6"
    people = People(5)
    remember(people, url)
    remember(people, url)  # a second time changes nothing
    hashes = [str(Identities(HASH_KEY).identify(did)) for did in people.dids]
    with Redis.from_url(url) as redis:
        kept = History(redis, 50, 180).read(hashes)
    assert [len(patterns) for patterns in kept] == [HISTORY] * 5
    assert [list(pattern.features) for pattern in kept[2]] == people.histories[2].tolist()
    times = [pattern.unix_seconds for pattern in kept[2]]
    assert times == sorted(times, reverse=True)


def test_limits_are_on_and_higher_than_any_load() -> None:
    limits = parse_many(RATE_LIMITS)
    assert len(limits) == 2
    assert all(limit.amount / limit.get_expiry() >= 1_000_000 for limit in limits)


def test_metrics_are_on_and_a_shells_settings_do_not_matter() -> None:
    given = environment("redis://127.0.0.1:1/0", 5, ROOT)
    assert int(given["WORKER_METRICS_PORT"] or 0) > 0
    assert given["BROKER_URL"] == given["API_KEY_HASHES"] == ""
    assert given["HISTORY_LENGTH"] == str(HISTORY)


def test_the_service_is_one_front_end_and_one_worker() -> None:
    found = service("redis://127.0.0.1:1/0", ROOT)
    commands = [part.command[1:] for part in found.parts]
    assert commands == [["-m", "worker", "online"], ["-m", "api"]]
    assert all(part.environment["PORT"] == str(found.port) for part in found.parts)
    assert len(in_process("redis://127.0.0.1:1/0", ROOT).parts) == 1


@pytest.mark.parametrize(
    "peer",
    [
        lineup.mosec,
        lineup.litserve,
        lineup.bentoml,
        lineup.ray_serve,
        lineup.ray_serve_tuned,
        lambda: lineup.celery_get("redis://127.0.0.1:1/2"),
    ],
)
def test_every_peer_runs_on_one_thread_and_says_what_it_leaves_out(peer: object) -> None:
    found: Contestant = peer()  # type: ignore[operator]
    assert all(part.environment["OMP_NUM_THREADS"] == "1" for part in found.parts)
    assert any(str(found.port) in part.command for part in found.parts)
    assert "histories in memory" in found.about
    assert "no rate limits" in found.about


def test_one_mosec_does_all_of_the_services_work_on_its_histories() -> None:
    found = lineup.mosec_whole("redis://127.0.0.1:1/5", ROOT)
    given = found.parts[0].environment
    assert given["REDIS_URL"] == "redis://127.0.0.1:1/5"
    assert given["DID_HASH_KEY"] == HASH_KEY
    assert given["OMP_NUM_THREADS"] == "1"
    assert "no rate limits" in found.about
    assert "histories in memory" not in found.about


def test_one_ray_serve_is_as_it_comes_and_the_other_as_its_documentation_tunes_it() -> None:
    plain, tuned = (
        made().parts[0].environment for made in (lineup.ray_serve, lineup.ray_serve_tuned)
    )
    assert not {name for name in plain if name.startswith("RAY_SERVE")}
    assert dict(plain) | lineup.RAY_TUNED == dict(tuned)


def test_a_peer_that_is_installed_has_the_pinned_version() -> None:
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    for name, found in (("mosec", lineup.mosec()), ("litserve", lineup.litserve())):
        assert found.version is None or f"{name}=={found.version}" in pins
