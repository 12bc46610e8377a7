"""The published vectors: the script makes them, and what needs no secret follows from the bytes beside it."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from scripts.chain_scanner import LARGEST_ANSWER_BYTES, scan, signed
from scripts.make_chain_vectors import vectors

FILE: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "docs" / "chain" / "vectors.json").read_text()
)
every_vector = pytest.mark.parametrize("vector", FILE["vectors"], ids=range(len(FILE["vectors"])))


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def blake2b(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=32).digest()


def test_the_file_is_what_the_script_makes() -> None:
    assert json.loads(json.dumps(vectors())) == FILE


@every_vector
def test_a_scanner_reads_the_answer_and_finds_it_signed(vector: dict[str, Any]) -> None:
    body = vector["answer"].encode()
    read = scan(body)
    assert read is not None
    assert signed(read)
    assert f"0x{read.did.hex()}" == json.loads(vector["request"])["did"]
    assert read.nonce == vector["oracle_id"] << 53 | vector["serial"]
    assert len(body) < LARGEST_ANSWER_BYTES


@every_vector
def test_the_signed_message_can_be_built_from_the_answer(vector: dict[str, Any]) -> None:
    answer = json.loads(vector["answer"])
    numbers = struct.pack("<BQQ", *(answer[k] for k in ("confidence_score", "timestamp", "nonce")))
    message = unhex(answer["did"]) + numbers
    assert unhex(vector["v1_message"]) == message
    assert unhex(vector["v1_digest"]) == blake2b(message)
    key = Ed25519PrivateKey.from_private_bytes(unhex(vector["seed"]))
    assert key.sign(blake2b(message)) == unhex(answer["signature"])
    assert key.public_key().public_bytes_raw() == unhex(vector["public_key"])


@every_vector
def test_the_wider_message_can_be_built_from_question_and_answer(vector: dict[str, Any]) -> None:
    answer = json.loads(vector["answer"])
    if "signature_v2" not in answer:
        assert "v2_message" not in vector
        return
    features = struct.pack("<IIIBB", *json.loads(vector["request"])["features"].values())
    message = b"BiometricScoreV2" + unhex(FILE["genesis_hash"]) + unhex(vector["v1_message"])
    message += blake2b(features) + unhex(answer["model"]) + unhex(answer["history"])
    assert unhex(vector["v2_message"]) == message
    assert unhex(vector["v2_digest"]) == blake2b(message)
    public = Ed25519PublicKey.from_public_bytes(unhex(vector["public_key"]))
    public.verify(unhex(answer["signature_v2"]), blake2b(message))


@every_vector
def test_an_operator_can_compute_the_digest_of_a_history(vector: dict[str, Any]) -> None:
    plain = blake2b(b"".join(struct.pack("<4f", *pattern) for pattern in vector["history"]))
    assert unhex(vector["history_plain"]) == plain
    secret = FILE["did_hash_key"].encode()
    key = hashlib.blake2b(secret, person=b"chain.history").digest()
    keyed = hashlib.blake2b(plain, key=key, digest_size=8)
    assert json.loads(vector["answer"])["history"] == f"0x{keyed.hexdigest()}"
