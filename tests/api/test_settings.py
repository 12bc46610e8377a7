from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from api.settings import Settings, SettingsError, load_settings

KEY = "a-secret-of-more-than-thirty-two-characters"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment that sets nothing but the key, in a folder without .env."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DID_HASH_KEY", KEY)
    return monkeypatch


def complaint() -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


def test_the_defaults_are_the_documented_ones() -> None:
    settings = load_settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.predict_timeout_seconds == 1.0
    assert settings.max_waiting_patterns == 4096
    assert settings.max_body_bytes == 4 * 1024 * 1024
    limits = [(limit.amount, limit.get_expiry()) for limit in settings.rate_limits]
    assert limits == [(100, 1), (1000, 60)]
    assert not settings.https_only
    off = (settings.api_key_hashes, settings.operations_networks, settings.trusted_proxies)
    assert off == ((), (), ())
    assert settings.cors_origins == ()


def test_without_a_hash_key_the_message_says_how_to_make_one(bare: pytest.MonkeyPatch) -> None:
    bare.delenv("DID_HASH_KEY")
    assert complaint().startswith("DID_HASH_KEY is not set")
    assert "secrets.token_hex(32)" in complaint()


def test_a_short_hash_key_is_refused_and_not_repeated(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("DID_HASH_KEY", "too-short-a-secret")
    assert "at least 32 characters" in complaint()
    assert "too-short-a-secret" not in complaint()


@pytest.mark.parametrize(
    ("name", "value", "limit"),
    [
        ("PORT", "65536", "from 0 to 65535"),
        ("PREDICT_TIMEOUT_SECONDS", "0", "from 0.05 to 60"),
        ("PREDICT_TIMEOUT_SECONDS", "nan", "from 0.05 to 60"),
        ("MAX_WAITING_PATTERNS", "0", "from 1 to 1,000,000"),
        ("MAX_MESSAGES_IN_FLIGHT", "0", "from 1 to 256"),
        ("MAX_BODY_BYTES", "10", "from 1024 to 64 MiB"),
        ("RATE_LIMITS", "many", '"100/second;1000/minute"'),
        ("RATE_LIMITS", "0/second", "each at least 1"),
        ("API_KEY_HASHES", "abc", "64 hex digits"),
        ("OPERATIONS_NETWORKS", "10.0.0.0/40", "10.0.0.0/8"),
        ("TRUSTED_PROXIES", "proxy.example.org", "10.0.0.0/8"),
        ("CORS_ORIGINS", "app.example.org", "https://app.example.org"),
        ("CORS_ORIGINS", "https://app.example.org/page", "without a path"),
        ("HTTPS_ONLY", "perhaps", "true or false"),
        ("LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING or ERROR"),
        ("LOG_FORMAT", "xml", "json or text"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_its_limit_and_the_remedy(
    bare: pytest.MonkeyPatch, name: str, value: str, limit: str
) -> None:
    bare.setenv(name, value)
    assert complaint().startswith(f"{name} must be ")
    assert limit in complaint()
    assert "set it in the environment or in .env" in complaint()


def test_every_wrong_value_gets_a_line_of_its_own(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("PORT", "x")
    bare.setenv("LOG_FORMAT", "xml")
    assert [line.split()[0] for line in complaint().splitlines()] == ["PORT", "LOG_FORMAT"]


def test_a_wrong_url_is_named_once_and_its_password_is_not_repeated(
    bare: pytest.MonkeyPatch,
) -> None:
    bare.setenv("REDIS_URL", "http://user:hunter2@redis")
    assert complaint().startswith("REDIS_URL must be a redis://, rediss:// or unix:// URL")
    assert len(complaint().splitlines()) == 1
    assert "hunter2" not in complaint()


def test_a_long_wrong_value_is_cut_short(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("PORT", "9" * 5000)
    assert len(complaint()) < 300


def test_broker_and_results_are_where_redis_is_unless_they_are_named(
    bare: pytest.MonkeyPatch,
) -> None:
    bare.setenv("REDIS_URL", "redis://one/0")
    bare.setenv("BROKER_URL", "rediss://two/1")
    bare.setenv("RESULT_URL", "")
    settings = load_settings()
    assert (settings.broker_url, settings.result_url) == ("rediss://two/1", "redis://one/0")


@pytest.mark.parametrize("name", ["BROKER_URL", "RESULT_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "amqp://two//",
        "sentinel://two:26379",
        "two:6379",
        "redis://",
        "unix://",
        "redis://:x@localhost:notaport/0",
        "redis://:x@localhost:70000/0",
        "redis://[::1",
        "redis://localhost:6399/notadb",
        "redis://localhost:6399/0?db=x",
        "redis://localhost:6399/0 ",
    ],
)
def test_what_the_front_end_cannot_open_is_refused_at_the_start(
    bare: pytest.MonkeyPatch, name: str, url: str
) -> None:
    bare.setenv(name, url)
    assert complaint().startswith(f"{name} must be a URL like REDIS_URL's")


@pytest.mark.parametrize(
    "url", ["redis://:pa%2Fss@[::1]:6379/15", "rediss://two", "unix:///run/redis.sock?db=1"]
)
def test_what_the_front_end_can_open_is_taken(bare: pytest.MonkeyPatch, url: str) -> None:
    bare.setenv("BROKER_URL", url)
    assert load_settings().broker_url == url


def test_lists_are_separated_by_commas(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("OPERATIONS_NETWORKS", "10.1.2.3/8, ::1,")
    bare.setenv("TRUSTED_PROXIES", "192.0.2.7")
    bare.setenv("API_KEY_HASHES", f"{'A' * 64},{'b' * 64}")
    bare.setenv("CORS_ORIGINS", "https://a.example, http://localhost:3000")
    settings = load_settings()
    assert settings.operations_networks == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    )
    assert settings.trusted_proxies == (ipaddress.ip_network("192.0.2.7/32"),)
    assert settings.api_key_hashes == ("a" * 64, "b" * 64)
    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")


def test_empty_rate_limits_are_none(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("RATE_LIMITS", " ")
    assert load_settings().rate_limits == ()


@pytest.mark.parametrize(("text", "value"), [("false", False), ("0", False), ("true", True)])
def test_a_switch_reads_words_not_truthiness(
    bare: pytest.MonkeyPatch, text: str, value: bool
) -> None:
    bare.setenv("HTTPS_ONLY", text)
    assert load_settings().https_only is value


def test_a_file_in_the_folder_is_read_and_the_environment_outranks_it(
    bare: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=9001\nLOG_FORMAT=text\nWORKER_DEVICE=cuda:1\n")
    bare.setenv("PORT", "9002")
    settings = load_settings()
    assert (settings.port, settings.log_format) == (9002, "text")


def test_the_key_is_not_shown_by_the_settings_themselves() -> None:
    assert KEY not in repr(load_settings())


def test_callbacks_need_hosts_in_their_notation_and_a_key(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("CALLBACK_HOSTS", "Hooks.example.org, [::1]:9000")
    assert "CALLBACK_KEY must be a secret" in complaint()
    bare.setenv("CALLBACK_KEY", KEY)
    bare.setenv("CALLBACK_NETWORKS", "10.1.2.3/8")
    settings = load_settings()
    assert settings.callback_hosts == ("hooks.example.org", "[::1]:9000")
    assert settings.callback_networks == (ipaddress.ip_network("10.0.0.0/8"),)
    bare.setenv("CALLBACK_HOSTS", "https://hooks.example.org/")
    assert "CALLBACK_HOSTS must be host names" in complaint()


def test_a_job_is_kept_as_long_as_its_callback_is_tried(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("JOB_RESULT_SECONDS", "3600")
    assert load_settings().job_result_seconds == 3600  # callbacks are off
    bare.setenv("CALLBACK_HOSTS", "hooks.example.org")
    bare.setenv("CALLBACK_KEY", KEY)
    assert "CALLBACK_SECONDS must be" in complaint()
    assert "at most JOB_RESULT_SECONDS" in complaint()
    bare.setenv("CALLBACK_SECONDS", "3600")
    assert load_settings().callback_seconds == 3600
