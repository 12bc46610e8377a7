from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from api.identity import DID_PATTERN, HASH_BYTES, Identities, canonical

PATTERN = re.compile(DID_PATTERN)
SECRET = "s" * 32
HEX = st.text("0123456789abcdefABCDEF", min_size=1, max_size=64)
ID_PART = st.text("abcXYZ019.-_", min_size=1, max_size=12)


def hashed(did: str, secret: str = SECRET) -> str | None:
    return Identities(secret).identify(did)


@pytest.mark.parametrize(
    "did",
    [
        "0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb",  # the read-me's, 39 digits
        "0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb000000000000000000000000",  # 63 digits
        "0x0",
        "0x" + "f" * 64,
        "0x742d35...",
        "0x1234...",
        "did:web:example.org",
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "did:web:localhost%3A8000:user:alice",
        "did:example::a",
    ],
)
def test_the_documented_forms_are_accepted(did: str) -> None:
    assert PATTERN.fullmatch(did)


@pytest.mark.parametrize(
    "did",
    [
        "",
        "0x",
        "0x" + "f" * 65,
        "0xg1",
        "742d35",
        "0X12",
        "0x...",
        "0x12..",
        "0x12....",
        "0x12...34",
        " 0x12",
        "did:",
        "did:web:",
        "did:Web:example.org",
        "did:web:example.org:",
        "did:web:a%4",
        "did:web:a b",
        "did:web:a/b",
        "did:web:a#key",
        "DID:web:a",
    ],
)
def test_anything_else_is_refused(did: str) -> None:
    assert PATTERN.fullmatch(did) is None


@given(HEX)
def test_case_of_hex_does_not_split_a_history(digits: str) -> None:
    assert hashed("0x" + digits.upper()) == hashed("0x" + digits.lower()) == hashed("0x" + digits)


@given(HEX)
def test_a_canonical_form_is_its_own_canonical_form(digits: str) -> None:
    once = canonical("0x" + digits)
    assert once is not None
    assert canonical(once) == once
    assert PATTERN.fullmatch(once)


@given(HEX, HEX)
def test_different_numbers_are_different_people(one: str, other: str) -> None:
    assume(one.lower() != other.lower())
    assert hashed("0x" + one) != hashed("0x" + other)


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8), ID_PART, ID_PART)
def test_a_w3c_did_keeps_its_case(method: str, first: str, last: str) -> None:
    assume(not last.endswith("..."))
    did = f"did:{method}:{first}:{last}"
    assert PATTERN.fullmatch(did)
    assert canonical(did) == did


@given(HEX)
def test_case_of_a_hex_address_inside_a_w3c_did_does_not_split_a_history(digits: str) -> None:
    assert hashed(f"did:ethr:0x{digits.upper()}") == hashed(f"did:ethr:0x{digits.lower()}")


@given(st.sampled_from(["0x", "did:ethr:0x", "did:key:z6Mk", "did:pkh:eip155:1:0x"]), HEX)
def test_an_abbreviated_did_has_no_hash(start: str, digits: str) -> None:
    assert PATTERN.fullmatch(f"{start}{digits}...")
    assert Identities(SECRET).identify(f"{start}{digits}...") is None


@pytest.mark.parametrize("did", ["did:web:a...b", "did:web:a..", "did:web:example.org"])
def test_dots_elsewhere_do_not_make_a_did_abbreviated(did: str) -> None:
    assert hashed(did) is not None


def test_leading_zeros_belong_to_a_did() -> None:
    assert hashed("0x01") != hashed("0x1")


@given(HEX)
def test_the_hash_is_hex_of_fixed_length_and_does_not_contain_the_did(digits: str) -> None:
    digest = hashed("0x" + digits)
    assert digest is not None
    assert re.fullmatch(f"[0-9a-f]{{{2 * HASH_BYTES}}}", digest)


def test_without_the_secret_nobody_can_compute_the_hash() -> None:
    assert hashed("0x1", "a" * 32) != hashed("0x1", "b" * 32)


def test_a_secret_longer_than_the_hash_function_takes_counts_to_its_end() -> None:
    assert hashed("0x1", "a" * 100 + "1") != hashed("0x1", "a" * 100 + "2")
