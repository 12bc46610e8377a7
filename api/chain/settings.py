"""The settings of the chain's door; without a key the door is closed."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

FRESHNESS_SECONDS: Final = 60  # the chain refuses an answer whose timestamp is older
LAST_ORACLE_ID: Final = 2047  # eleven bits of the nonce

_HEX_32 = re.compile(r"(?:0x)?([0-9a-f]{64})")


class ChainSettings(BaseSettings):
    """What an operator can set for `/chain`. Descriptions complete the sentence "NAME must be ..."."""

    chain_key: SecretStr = Field(
        SecretStr(""),
        description="the 64 hex digits of an ed25519 seed, made by scripts/make_chain_key.py (empty: off)",
    )
    chain_key_file: str = Field(
        "", description="a file of mode 0600 made by scripts/make_chain_key.py (empty: off)"
    )
    chain_oracle_id: int | None = Field(
        None,
        ge=0,
        le=LAST_ORACLE_ID,
        description=f"a number from 0 to {LAST_ORACLE_ID} that no other oracle of the chain has",
    )
    chain_next_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="public keys of 64 hex digits that will sign (empty: none)"
    )
    chain_previous_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="public keys of 64 hex digits that signed before (empty: none)"
    )
    chain_genesis_hash: str = Field(
        "", description="the chain's genesis hash of 64 hex digits (empty: no signature_v2)"
    )
    chain_window_seconds: int = Field(
        FRESHNESS_SECONDS,
        ge=1,
        le=FRESHNESS_SECONDS,
        description=f"a number of seconds from 1 to {FRESHNESS_SECONDS}",
    )
    chain_require_history: int = Field(
        0, ge=0, le=50, description="a number of patterns from 0 to 50 (0: none is required)"
    )

    @field_validator("chain_oracle_id", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("chain_next_keys", "chain_previous_keys", mode="before")
    @classmethod
    def _public_keys(cls, value: Any) -> Any:
        items = value.split(",") if isinstance(value, str) else value
        return tuple(_hex_32(item) for item in items if item.strip())

    @field_validator("chain_genesis_hash")
    @classmethod
    def _genesis(cls, value: str) -> str:
        return _hex_32(value) if value.strip() else ""


def _hex_32(text: str) -> str:
    """The 64 digits in lower case, with or without 0x before them. Raises ValueError."""
    match = _HEX_32.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError
    return match[1]
