"""What the service remembers of a DID, through its own door."""

from __future__ import annotations

import base64
import re
import time
from typing import Any

import pytest

from tests.e2e.service import RunningService, pattern

pytestmark = pytest.mark.e2e
DID = "0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb"


def past(n: int) -> list[dict[str, Any]]:
    now = int(time.time())
    found = []
    for k in range(n):
        entry = pattern()["features"] | {"timestamp": now - 3600 * (k + 1)}
        found.append({name: entry[name] for name in entry if name != "activity_hour_preference"})
    return found


def typed(did: str, n: int, wpm: float = 64.0) -> dict[str, Any]:
    """Sessions of one person: none a copy of another, and leading nowhere as n grows."""
    apart = (0.6 + n / 16) * (-1) ** n
    return pattern(did, typing_speed_wpm=wpm + apart, avg_key_hold_time_ms=100 + apart)


def predict(service: RunningService, body: dict[str, Any]) -> dict[str, Any]:
    status, answer = service.post("/predict", body)
    assert status == 200, answer
    assert isinstance(answer, dict)
    return answer


def test_a_did_builds_its_history_with_each_accepted_pattern(service: RunningService) -> None:
    used = []
    for n in range(4):
        answer = predict(service, typed("did:example:builder", n))
        assert answer["recorded"] is True
        used.append((answer["history_used"], answer["history_source"]))
    assert used == [(0, "none"), (1, "server"), (2, "server"), (3, "server")]


def test_the_first_answer_without_any_history_is_near_fifty_and_says_so(
    service: RunningService,
) -> None:
    answer = predict(service, pattern("did:example:stranger"))
    assert 45 <= answer["confidence_score"] <= 55
    assert "NO_HISTORY" in answer["reasons"]


def test_the_case_of_a_hex_did_does_not_split_its_history(service: RunningService) -> None:
    predict(service, typed(DID.lower(), 0))
    assert predict(service, typed(DID, 1))["history_used"] == 1
    assert predict(service, typed("0x" + DID[2:].upper(), 2))["history_used"] == 2


def test_a_callers_history_serves_a_did_that_has_none_and_never_outranks_what_was_recorded(
    service: RunningService,
) -> None:
    body = typed("did:example:caller", 0) | {"historical_patterns": past(12)}
    first = predict(service, body)
    assert (first["history_used"], first["history_source"]) == (12, "caller")
    assert "HISTORY_FROM_CALLER" in first["reasons"]
    second = predict(service, body)
    assert (second["history_used"], second["history_source"]) == (1, "server")
    assert second["reasons"] == ["SHORT_HISTORY", "REPLAY_SUSPECTED"]
    assert (second["decision"], second["recorded"]) == ("reject", False)


def test_somebody_elses_typing_scores_lower_than_the_owners_and_is_not_learned(
    service: RunningService,
) -> None:
    did = "did:example:owner"
    for n in range(4):
        predict(service, typed(did, n, wpm=80))
    own = predict(service, typed(did, 4, wpm=80))
    other = predict(
        service,
        pattern(did, typing_speed_wpm=28, avg_key_hold_time_ms=170, avg_transition_time_ms=260),
    )
    assert own["confidence_score"] > 60
    assert other["confidence_score"] < 30
    assert own["recorded"] is True
    assert other["recorded"] is False


def test_an_abbreviated_did_is_scored_and_leaves_no_trace(service: RunningService) -> None:
    for _ in range(2):
        answer = predict(service, pattern("0x742d35..."))
        assert answer["history_source"] == "none"
        assert answer["recorded"] is False
        assert "DID_ABBREVIATED" in answer["reasons"]


def test_redis_never_sees_a_did(service: RunningService) -> None:
    secret = "c0ffee15bad"
    predict(service, pattern(f"0x{secret}"))
    predict(service, pattern(f"did:example:{secret}"))
    written = b"".join(path.read_bytes() for path in service.directory.glob("appendonlydir/*"))
    bodies = re.findall(rb'"body": ?"([A-Za-z0-9+/=]+)"', written)
    assert len(bodies) >= 2
    assert b"biometrics:history" in written
    seen = written + b"".join(map(base64.b64decode, bodies))
    assert b"avg" not in seen  # rows are lists: what was read are the messages themselves
    assert secret.encode() not in seen.lower()
    logs = b"".join(path.read_bytes() for path in service.directory.glob("*.log"))
    assert secret.encode() not in logs.lower()


def test_a_batch_answers_in_order_each_with_its_own_history(service: RunningService) -> None:
    bodies = [
        pattern(f"did:example:batch{n}") | ({"historical_patterns": past(n)} if n else {})
        for n in range(20)
    ]
    status, answers = service.post("/batch-predict", bodies)
    assert status == 200
    assert [answer["history_used"] for answer in answers] == list(range(20))
