"""Byte layouts, against bytes written out by hand."""

from __future__ import annotations

import hashlib

from api.chain.message import V2_TAG, blake2b_256, features_bytes, v1_message, v2_message

DID = bytes(range(32))


def test_v1_is_did_score_timestamp_and_nonce_in_49_bytes() -> None:
    message = v1_message(DID, 87, 0x0102030405060708, 0xFFFFFFFFFFFFFFFE)
    assert message == DID + bytes.fromhex("570807060504030201feffffffffffffff")
    assert len(message) == 49


def test_features_are_three_u32_and_two_u8() -> None:
    assert features_bytes((65, 120, 0x01020304, 3, 23)) == bytes.fromhex(
        "4100000078000000040302010317"
    )


def test_v2_binds_tag_chain_v1_question_model_and_history_in_145_bytes() -> None:
    genesis, model, history = b"\x11" * 32, b"\x22" * 8, b"\x33" * 8
    v1 = v1_message(DID, 1, 2, 3)
    message = v2_message(genesis, v1, b"features", model, history)
    digest = hashlib.blake2b(b"features", digest_size=32).digest()
    assert message == b"BiometricScoreV2" + genesis + v1 + digest + model + history
    assert len(message) == 145
    assert len(V2_TAG) == 16


def test_the_digest_is_blake2b_with_256_bits_of_output() -> None:
    assert blake2b_256(b"").hex().startswith("0e5751c026e543b2e8ab2eb06099daa1")
    assert blake2b_256(b"") != hashlib.blake2b(b"").digest()[:32]  # no cut of the longer one
