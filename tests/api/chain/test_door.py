from __future__ import annotations

import pytest

from api.chain.door import describe, open_door
from api.metrics import ApiMetrics
from api.settings import SettingsError
from tests.api.chain.questions import SEED, ChainScoring
from tests.api.front import NOW, app_for, settings


def test_without_a_key_there_is_no_door() -> None:
    assert open_door(settings(), ChainScoring(), ApiMetrics(), lambda: NOW) is None


def test_a_door_opens_without_any_server_and_tells_its_public_key_only() -> None:
    door = open_door(
        settings(chain_key=SEED, chain_oracle_id=0), ChainScoring(), ApiMetrics(), lambda: NOW
    )
    assert door is not None
    (key,) = door.description["keys"]
    assert key["state"] == "current"
    assert SEED not in str(door)


def test_a_service_with_a_key_that_cannot_be_used_does_not_start() -> None:
    with pytest.raises(SettingsError, match="CHAIN_KEY must hold"):
        app_for(chain_key="no key", chain_oracle_id=1)


def test_keys_are_described_from_the_one_that_signs_to_those_that_did() -> None:
    described = describe(
        settings(chain_oracle_id=3, chain_next_keys="aa" * 32, chain_previous_keys="bb" * 32),
        b"\x01" * 32,
    )
    assert [each["state"] for each in described["keys"]] == ["current", "next", "previous"]
    assert described["genesis_hash"] is None
