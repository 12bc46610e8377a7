"""Keyed digests, so that nobody without the service's secret can try out what stands behind them.

A session is about 30 bits: a plain digest of a question in Redis, or of a short history in a public chain, would give
the numbers away.
"""

from __future__ import annotations

import hashlib
from typing import Final

from api.chain.message import SHORT_BYTES

QUESTION_BYTES: Final = 16


class Digests:
    """Digests under keys derived from DID_HASH_KEY."""

    def __init__(self, secret: str) -> None:
        self._question = hashlib.blake2b(secret.encode(), person=b"chain.question").digest()
        self._history = hashlib.blake2b(secret.encode(), person=b"chain.history").digest()

    def question(self, canonical: bytes) -> str:
        """32 hex digits for a question's DID and features."""
        return _keyed(canonical, self._question, QUESTION_BYTES)

    def history(self, plain: str) -> str:
        """The answer's 16 hex digits, from the worker's plain digest of a history in hex."""
        return _keyed(bytes.fromhex(plain), self._history, SHORT_BYTES)


def _keyed(content: bytes, key: bytes, length: int) -> str:
    return hashlib.blake2b(content, key=key, digest_size=length).hexdigest()
