"""The signing key: where it may come from, and that it never shows."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from api.chain.keys import SigningKey, signing_key
from api.settings import SettingsError
from tests.api.front import settings

# RFC 8032, section 7.1, TEST 1
SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "chain.key"
    path.touch(mode=0o600)
    path.write_text(SEED + "\n")
    return path


def test_the_public_half_is_that_of_the_rfc() -> None:
    assert SigningKey(bytes.fromhex(SEED)).public.hex() == PUBLIC


def test_a_signature_is_over_blake2b_256_of_the_message() -> None:
    signature = SigningKey(bytes.fromhex(SEED)).sign(b"message")
    digest = hashlib.blake2b(b"message", digest_size=32).digest()
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(PUBLIC)).verify(signature, digest)


@pytest.mark.parametrize("text", [SEED, SEED.upper(), "0x" + SEED])
def test_a_key_from_the_environment_is_taken(text: str) -> None:
    key = signing_key(settings(chain_key=text, chain_oracle_id=0))
    assert key is not None
    assert key.public.hex() == PUBLIC


def test_a_key_from_a_file_of_its_owner_is_taken(key_file: Path) -> None:
    key = signing_key(settings(chain_key_file=str(key_file), chain_oracle_id=1))
    assert key is not None
    assert key.public.hex() == PUBLIC


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o700])
def test_a_file_with_any_wider_mode_is_refused_with_the_remedy(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(SettingsError, match=f"has mode {mode:04o}.*chmod 600"):
        signing_key(settings(chain_key_file=str(key_file), chain_oracle_id=1))


def test_a_file_that_is_narrower_is_taken(key_file: Path) -> None:
    key_file.chmod(0o400)
    assert signing_key(settings(chain_key_file=str(key_file), chain_oracle_id=1)) is not None


@pytest.mark.parametrize("text", ["", "xyz", SEED[:-1], SEED + "0", PUBLIC + SEED])
def test_a_file_that_holds_no_seed_is_refused_without_showing_it(key_file: Path, text: str) -> None:
    key_file.write_text(text)
    with pytest.raises(SettingsError, match="must hold the 64 hex digits") as refused:
        signing_key(settings(chain_key_file=str(key_file), chain_oracle_id=1))
    assert len(text) < 10 or text not in str(refused.value)


def test_a_file_that_is_missing_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read.*make_chain_key"):
        signing_key(settings(chain_key_file=str(tmp_path / "none"), chain_oracle_id=1))


def test_a_key_without_an_oracle_id_is_refused_since_nonces_could_meet() -> None:
    with pytest.raises(SettingsError, match="CHAIN_ORACLE_ID is not set"):
        signing_key(settings(chain_key=SEED))


def test_two_keys_at_once_are_refused(key_file: Path) -> None:
    with pytest.raises(SettingsError, match="both set"):
        signing_key(settings(chain_key=SEED, chain_key_file=str(key_file), chain_oracle_id=1))


def test_without_a_key_there_is_none() -> None:
    assert signing_key(settings(chain_oracle_id=1)) is None


def test_what_is_printed_of_a_key_is_its_public_half() -> None:
    shown = repr(SigningKey(bytes.fromhex(SEED)))
    assert PUBLIC in shown
    assert SEED not in shown
