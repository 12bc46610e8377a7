"""The settings of bulk jobs and of the calls that tell of their end."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode

MEBIBYTE = 1024 * 1024
MIN_SECRET_LENGTH = 32

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")


class JobSettings(BaseSettings):
    """What an operator can set for `/jobs`. Descriptions complete the sentence "NAME must be ..."."""

    job_max_patterns: int = Field(
        1_000_000, ge=1, le=1_000_000, description="a number of patterns from 1 to 1,000,000"
    )
    job_max_bytes: int = Field(
        1024 * MEBIBYTE, ge=1024, le=16_384 * MEBIBYTE, description="bytes from 1024 to 16 GiB"
    )
    job_result_seconds: int = Field(
        86_400, ge=60, le=604_800, description="a number of seconds from 60 to 604,800"
    )
    callback_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="host names with a port where it is not the usual one,"
        " such as hooks.example.org:8443 (empty: off)",
    )
    callback_key: SecretStr = Field(
        SecretStr(""),
        validate_default=True,
        description=f"a secret of at least {MIN_SECRET_LENGTH} characters where CALLBACK_HOSTS is set",
    )
    callback_networks: Annotated[
        tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...], NoDecode
    ] = Field((), description="networks such as 10.0.0.0/8, or addresses (empty: none)")
    callback_seconds: int = Field(
        21_600,
        ge=1,
        le=604_800,
        validate_default=True,
        description="a number of seconds from 1 to 604,800,"
        " and at most JOB_RESULT_SECONDS where CALLBACK_HOSTS is set",
    )

    @field_validator("callback_hosts", mode="before")
    @classmethod
    def _hosts_without_scheme_and_path(cls, value: Any) -> Any:
        items = value.split(",") if isinstance(value, str) else value
        hosts = tuple(item.strip().lower() for item in items if item.strip())
        if not all(_HOST.fullmatch(host) for host in hosts):
            raise ValueError
        return hosts

    @field_validator("callback_networks", mode="before")
    @classmethod
    def _callback_networks_with_or_without_host_bits(cls, value: Any) -> Any:
        items = value.split(",") if isinstance(value, str) else value
        return tuple(
            ipaddress.ip_network(str(item).strip(), strict=False)
            for item in items
            if str(item).strip()
        )

    @field_validator("callback_seconds")
    @classmethod
    def _a_job_outlives_its_callback(cls, value: int, info: ValidationInfo) -> int:
        if info.data.get("callback_hosts") and value > info.data.get("job_result_seconds", value):
            raise ValueError
        return value

    @field_validator("callback_key")
    @classmethod
    def _hosts_need_a_secret(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if info.data.get("callback_hosts") and len(value.get_secret_value()) < MIN_SECRET_LENGTH:
            raise ValueError
        return value
