"""The bytes of an answer, read as a pallet reads them."""

from __future__ import annotations

import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from api.chain.answer import Signer, whole
from api.chain.keys import SigningKey
from api.chain.message import blake2b_256, features_bytes, v1_message, v2_message
from api.chain.verdict import Verdict
from scripts.chain_scanner import LARGEST_ANSWER_BYTES, scan, signed
from tests.api.chain.questions import SEED, question

KEY = SigningKey(bytes.fromhex(SEED))
GENESIS = b"\x91" * 32
VERDICT = Verdict(100, 2**40, "0123456789abcdef", "fedcba9876543210", 2**53 - 1)
ASKED = question()


def answer(genesis: bytes = b"", oracle_id: int = 2047) -> bytes:
    return whole(ASKED, Signer(KEY, oracle_id, genesis).answer(ASKED, VERDICT))


def test_the_keys_come_in_the_documented_order_and_the_body_is_compact() -> None:
    body = answer()
    fields = json.loads(body)
    names = "did confidence_score timestamp nonce signature public_key model history"
    assert list(fields) == names.split()
    assert json.dumps(fields, separators=(",", ":")).encode() == body


def test_a_substring_scanner_reads_what_was_meant_and_finds_it_signed() -> None:
    read = scan(answer())
    assert read is not None
    assert (read.did, read.score, read.timestamp, read.nonce) == (ASKED.did, 100, 2**40, 2**64 - 1)
    assert read.public_key == KEY.public
    assert signed(read)


def test_the_largest_answer_is_smaller_than_a_kibibyte() -> None:
    assert len(answer(GENESIS)) < LARGEST_ANSWER_BYTES


def test_nothing_of_the_question_but_the_did_is_repeated() -> None:
    assert b"features" not in answer(GENESIS)
    assert b"typing_speed" not in answer(GENESIS)


def test_the_same_verdict_has_the_same_bytes_each_time() -> None:
    assert answer(GENESIS) == answer(GENESIS)


def test_signature_v2_stands_last_and_binds_chain_question_model_and_history() -> None:
    fields = json.loads(answer(GENESIS))
    assert list(fields)[-1] == "signature_v2"
    v1 = v1_message(ASKED.did, 100, 2**40, 2**64 - 1)
    message = v2_message(
        GENESIS,
        v1,
        features_bytes(ASKED.features),
        bytes.fromhex(fields["model"][2:]),
        bytes.fromhex(fields["history"][2:]),
    )
    Ed25519PublicKey.from_public_bytes(KEY.public).verify(
        bytes.fromhex(fields["signature_v2"][2:]), blake2b_256(message)
    )


def test_what_is_stored_of_an_answer_does_not_hold_the_did() -> None:
    rest = Signer(KEY, 1, GENESIS).answer(ASKED, VERDICT)
    assert ASKED.did.hex().encode() not in rest
