"""The front end's settings: read once from the environment and `.env`, checked, and never changed.

A name in the environment is the field's name in capitals. Lists are separated by commas.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from limits import RateLimitItem, parse_many
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import NoDecode, SettingsConfigDict
from redis.connection import parse_url

from api.chain.settings import ChainSettings
from api.jobs.settings import JobSettings

MIN_HASH_KEY_LENGTH = 32
MAX_SHOWN_CHARACTERS = 60
DEFAULT_REDIS_URL = "redis://127.0.0.1:6379/0"
MEBIBYTE = 1024 * 1024

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_KEY_HASH = re.compile(r"[0-9a-f]{64}")
_ORIGIN = re.compile(r"\*|https?://[^\s/,]+")


class SettingsError(ValueError):
    """Raised when a setting is missing or wrong; the message says what it must be."""


class Settings(ChainSettings, JobSettings):
    """What an operator can set. A field's description completes the sentence "NAME must be ..."."""

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )

    host: str = Field("127.0.0.1", min_length=1, description="an address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="a port from 0 to 65535")
    redis_url: str = Field(DEFAULT_REDIS_URL, description="a redis://, rediss:// or unix:// URL")
    broker_url: str = Field(
        "", validate_default=True, description="a URL like REDIS_URL's (empty: REDIS_URL itself)"
    )
    result_url: str = Field(
        "", validate_default=True, description="a URL like REDIS_URL's (empty: REDIS_URL itself)"
    )
    jobs_url: str = Field(
        "", validate_default=True, description="a URL like REDIS_URL's (empty: REDIS_URL itself)"
    )
    did_hash_key: SecretStr = Field(
        min_length=MIN_HASH_KEY_LENGTH,
        description=f"a secret of at least {MIN_HASH_KEY_LENGTH} characters, the same for every"
        ' front end; make one with: python3 -c "import secrets; print(secrets.token_hex(32))"',
    )
    predict_timeout_seconds: float = Field(
        1.0, ge=0.05, le=60, description="a number of seconds from 0.05 to 60"
    )
    max_waiting_patterns: int = Field(
        4096, ge=1, le=1_000_000, description="a number of patterns from 1 to 1,000,000"
    )
    max_messages_in_flight: int = Field(
        4, ge=1, le=256, description="a number of messages from 1 to 256"
    )
    max_body_bytes: int = Field(
        4 * MEBIBYTE, ge=1024, le=64 * MEBIBYTE, description="a number of bytes from 1024 to 64 MiB"
    )
    rate_limits: Annotated[tuple[RateLimitItem, ...], NoDecode] = Field(
        "100/second;1000/minute",
        validate_default=True,
        description='limits as in "100/second;1000/minute", each at least 1 (empty: off)',
    )
    api_key_hashes: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="SHA-256 sums of 64 hex digits, made by scripts/make_api_key.py (empty: off)",
    )
    operations_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="networks such as 10.0.0.0/8, or addresses (empty: off)"
    )
    https_only: bool = Field(False, description="true or false")
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="the proxies' networks such as 10.0.0.0/8, or addresses (empty: none)"
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="origins such as https://app.example.org without a path, or * (empty: off)"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Literal["json", "text"] = Field("json", description="json or text")

    @field_validator("redis_url", "broker_url", "result_url", "jobs_url")
    @classmethod
    def _url_has_a_known_scheme(cls, value: str, info: ValidationInfo) -> str:
        url = value or str(info.data.get("redis_url", DEFAULT_REDIS_URL))
        if not _is_redis_url(url):
            raise ValueError
        return url

    @field_validator("rate_limits", mode="before")
    @classmethod
    def _limits_in_their_notation(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        limits = tuple(parse_many(value)) if value.strip() else ()
        if any(limit.amount < 1 for limit in limits):
            raise ValueError
        return limits

    @field_validator("api_key_hashes", "cors_origins", mode="before")
    @classmethod
    def _list_separated_by_commas(cls, value: Any) -> Any:
        return _split(value)

    @field_validator("operations_networks", "trusted_proxies", mode="before")
    @classmethod
    def _networks_with_or_without_host_bits(cls, value: Any) -> Any:
        return tuple(ipaddress.ip_network(item, strict=False) for item in _split(value))

    @field_validator("api_key_hashes")
    @classmethod
    def _hashes_are_sha256(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _all_match(_KEY_HASH, tuple(item.lower() for item in value))

    @field_validator("cors_origins")
    @classmethod
    def _origins_have_no_path(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _all_match(_ORIGIN, value)

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value


def load_settings() -> Settings:
    """The settings of this process's environment and `.env`.

    Raises SettingsError with one line for each setting that is missing or wrong, without secrets.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [_explain(problem) for problem in error.errors(include_url=False)]
    raise SettingsError("\n".join(lines))


def _explain(problem: ErrorDetails) -> str:
    name = str(problem["loc"][0])
    field = Settings.model_fields[name]
    what = "is not set; it must be" if problem["type"] == "missing" else "must be"
    hidden = problem["type"] == "missing" or name.endswith(("_url", "_key", "_hashes"))
    got = "" if hidden else f" (got {str(problem['input'])[:MAX_SHOWN_CHARACTERS]!r})"
    return f"{name.upper()} {what} {field.description}{got}; set it in the environment or in .env"


def _is_redis_url(url: str) -> bool:
    """The front end puts messages on the queue itself, so its broker is a Redis that redis-py can open."""
    try:
        parse_url(url)  # type: ignore[no-untyped-call]
        parts = urlsplit(url)
    except ValueError:
        return False
    if re.search(r"\s", url) or url == f"{parts.scheme}://":
        return False
    if parts.scheme == "unix":
        return parts.path.startswith("/")
    return re.fullmatch(r"/?[0-9]*", parts.path) is not None  # redis-py would take any other for 0


def _split(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(item.strip() for item in value.split(",") if item.strip())


def _all_match(pattern: re.Pattern[str], values: tuple[str, ...]) -> tuple[str, ...]:
    if not all(pattern.fullmatch(value) for value in values):
        raise ValueError
    return values
