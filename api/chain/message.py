"""What is signed: byte layouts, all integers little-endian. docs/chain.md shows them with test vectors.

v1 is what the chain verifies, v2 binds besides: the chain, the question, the model and the history.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Final

V2_TAG: Final = b"BiometricScoreV2"  # 16 bytes: no other message of these keys begins so
DIGEST_BYTES: Final = 32
SHORT_BYTES: Final = 8  # of the model's and the history's digest, as the answer carries them

_FEATURES = struct.Struct("<IIIBB")


def v1_message(did: bytes, score: int, timestamp: int, nonce: int) -> bytes:
    """The 49 bytes `did (32) || score (u8) || unix seconds (u64) || nonce (u64)`."""
    return struct.pack("<32sBQQ", did, score, timestamp, nonce)


def v2_message(genesis: bytes, v1: bytes, features: bytes, model: bytes, history: bytes) -> bytes:
    """145 bytes: `tag (16) || genesis (32) || v1 (49) || BLAKE2b-256 of features (32) || model (8) || history (8)`."""
    return V2_TAG + genesis + v1 + blake2b_256(features) + model + history


def features_bytes(features: tuple[int, int, int, int, int]) -> bytes:
    """The 14 bytes `wpm (u32) || hold ms (u32) || transition ms (u32) || error percent (u8) || hour (u8)`."""
    return _FEATURES.pack(*features)


def blake2b_256(message: bytes) -> bytes:
    """What ed25519 signs in place of the message itself."""
    return hashlib.blake2b(message, digest_size=DIGEST_BYTES).digest()
