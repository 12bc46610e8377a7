from __future__ import annotations

import pytest
from pydantic import ValidationError

from api.settings import Settings, SettingsError, load_settings
from tests.api.front import settings

KEY = "0x" + "AB" * 32


def test_public_keys_and_the_genesis_hash_are_hex_with_or_without_a_prefix_in_any_case() -> None:
    read = settings(chain_next_keys=f"{KEY}, {'cd' * 32}", chain_genesis_hash=KEY)
    assert read.chain_next_keys == ("ab" * 32, "cd" * 32)
    assert read.chain_genesis_hash == "ab" * 32


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chain_next_keys", "0xabc"),
        ("chain_previous_keys", "xy" * 32),
        ("chain_genesis_hash", "ab" * 31),
        ("chain_oracle_id", "2048"),
        ("chain_oracle_id", "-1"),
        ("chain_window_seconds", "61"),
        ("chain_window_seconds", "0"),
        ("chain_require_history", "51"),
    ],
)
def test_what_the_chain_could_not_use_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError):
        settings(**{name: value})


def test_empty_values_as_in_a_copied_example_switch_nothing_on() -> None:
    names = [name for name in Settings.model_fields if name.startswith("chain_")]
    texts = {"chain_window_seconds": "60", "chain_require_history": "0"}
    empty = settings(**{name: texts.get(name, "") for name in names})
    plain = settings()
    assert {name: getattr(empty, name) for name in names} == {
        name: getattr(plain, name) for name in names
    }


def test_a_wrong_value_is_named_with_what_it_must_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DID_HASH_KEY", "k" * 32)
    monkeypatch.setenv("CHAIN_ORACLE_ID", "5000")
    with pytest.raises(SettingsError, match="CHAIN_ORACLE_ID must be a number from 0 to 2047"):
        load_settings()


def test_the_key_does_not_show_in_what_is_printed() -> None:
    assert "01" * 32 not in repr(settings(chain_key="01" * 32))
