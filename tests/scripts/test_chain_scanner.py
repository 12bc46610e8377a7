"""The scanner misreads what a pallet without a JSON parser misreads."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.chain.answer import Signer, whole
from api.chain.keys import SigningKey
from api.chain.verdict import Verdict
from scripts.chain_scanner import Scanned, scan, signed, why_refused
from tests.api.chain.questions import SEED, question

NOW = 1_790_000_000.0
ASKED = question()
VERDICT = Verdict(87, int(NOW), "ab" * 8, "cd" * 8, 42)
BODY = whole(ASKED, Signer(SigningKey(bytes.fromhex(SEED)), 1, b"").answer(ASKED, VERDICT))


def read(body: bytes = BODY) -> Scanned:
    found = scan(body)
    assert found is not None
    return found


def test_an_answer_is_read_and_accepted() -> None:
    assert (read().score, read().timestamp, read().nonce) == (87, int(NOW), 2**53 + 42)
    assert why_refused(read(), ASKED.did, read().public_key, NOW) is None


def test_a_fraction_is_read_up_to_its_point_and_a_nested_key_before_its_own() -> None:
    assert read(BODY.replace(b":87,", b":87.6,")).score == 87
    assert read(b'{"echo":{"confidence_score":3}}' + BODY).score == 3


@pytest.mark.parametrize("literal", [b'"did":', b'"signature":', b'"public_key":'])
def test_a_space_after_a_colon_makes_a_hex_field_unreadable(literal: bytes) -> None:
    assert scan(BODY.replace(literal, literal + b" ")) is None


@pytest.mark.parametrize("literal", [b'"confidence_score":', b'"timestamp":', b'"nonce":'])
def test_a_number_that_is_missing_or_no_digits_makes_an_answer_unreadable(literal: bytes) -> None:
    assert scan(BODY.replace(literal, b'"x":')) is None
    assert scan(BODY.replace(literal, literal + b'"')) is None


@pytest.mark.parametrize("body", [b"", b"{}", BODY[:80], BODY.replace(b'"0x', b'"0y')])
def test_what_is_no_answer_is_not_read(body: bytes) -> None:
    assert scan(body) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"did": b"\x01" * 32}, "another DID"),
        ({"score": 101}, "a score above 100"),
        ({"nonce": 2**64}, "a nonce beyond u64"),
        ({"timestamp": int(NOW) - 61}, "a timestamp 61 s old"),
        ({"timestamp": int(NOW) + 3}, "a timestamp -3 s old"),
        ({"score": 88}, "a wrong signature"),
        ({"nonce": 43}, "a wrong signature"),
    ],
)
def test_each_change_is_refused_with_its_reason(changes: dict[str, Any], why: str) -> None:
    changed = replace(read(), **changes)
    assert why_refused(changed, ASKED.did, read().public_key, NOW) == why


def test_an_answer_of_another_key_is_refused_though_it_is_signed() -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"\x05" * 32).public_key().public_bytes_raw()
    assert signed(read())
    assert why_refused(read(), ASKED.did, other, NOW) == "another public key"


def test_an_answer_is_fresh_for_sixty_seconds() -> None:
    assert why_refused(read(), ASKED.did, read().public_key, NOW + 60) is None
    assert why_refused(read(), ASKED.did, read().public_key, time.time() + 10**9) is not None
