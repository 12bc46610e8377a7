"""Reads an oracle's answer as a Substrate pallet without a JSON parser does, and checks it as the chain would.

Literals are looked for, and the first one found counts: a space after a colon, an echo of the question or a fraction
would be misread, and that is what this is for.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FRESHNESS_SECONDS = 60
CLOCK_ERROR_SECONDS = 2  # an oracle's clock may be ahead of the node's
LARGEST_ANSWER_BYTES = 1024
HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")


@dataclass(frozen=True)
class Scanned:
    """The six fields that the chain reads."""

    did: bytes
    score: int
    timestamp: int
    nonce: int
    signature: bytes
    public_key: bytes


def scan(body: bytes) -> Scanned | None:
    """The fields of one answer, None where one of them is not found in its form."""
    did = _hex(body, b'"did":"0x', 64)
    score = _digits(body, b'"confidence_score":')
    timestamp = _digits(body, b'"timestamp":')
    nonce = _digits(body, b'"nonce":')
    signature = _hex(body, b'"signature":"0x', 128)
    public_key = _hex(body, b'"public_key":"0x', 64)
    if did is None or signature is None or public_key is None:
        return None
    if score is None or timestamp is None or nonce is None:
        return None
    return Scanned(did, score, timestamp, nonce, signature, public_key)


def why_refused(answer: Scanned, did: bytes, public_key: bytes, now: float) -> str | None:
    """Why the chain would not take the answer to a question about `did` to the oracle with `public_key`."""
    if answer.did != did:
        return "another DID"
    if answer.score > 100:
        return "a score above 100"
    if answer.nonce >= 2**64:
        return "a nonce beyond u64"
    age = now - answer.timestamp
    if age > FRESHNESS_SECONDS or age < -CLOCK_ERROR_SECONDS:
        return f"a timestamp {age:.0f} s old"
    if answer.public_key != public_key:
        return "another public key"
    return None if signed(answer) else "a wrong signature"


def signed(answer: Scanned) -> bool:
    """Whether the signature is ed25519 over BLAKE2b-256 of `did || score || timestamp || nonce`, 49 bytes."""
    message = answer.did + struct.pack("<BQQ", answer.score, answer.timestamp, answer.nonce)
    digest = hashlib.blake2b(message, digest_size=32).digest()
    try:
        Ed25519PublicKey.from_public_bytes(answer.public_key).verify(answer.signature, digest)
    except InvalidSignature:
        return False
    return True


def _hex(body: bytes, literal: bytes, digits: int) -> bytes | None:
    start = body.find(literal) + len(literal)
    if start < len(literal):
        return None
    found = body[start : start + digits]
    return (
        bytes.fromhex(found.decode()) if len(found) == digits and set(found) <= HEX_DIGITS else None
    )


def _digits(body: bytes, literal: bytes) -> int | None:
    start = body.find(literal) + len(literal)
    if start < len(literal):
        return None
    end = start
    while end < len(body) and 48 <= body[end] <= 57:
        end += 1
    return int(body[start:end]) if start < end else None
