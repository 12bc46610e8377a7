"""API keys: only their SHA-256 sums are configured, and all are compared, in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Set
from typing import Final

from starlette.types import Scope

from api.errors import UnauthorizedError

HEADER: Final = "X-API-Key"
OPEN: Final = frozenset(
    {
        "/",
        "/health",
        "/docs",
        "/openapi.json",
        "/swagger/swagger-ui-bundle.js",
        "/swagger/swagger-ui.css",
        "/swagger/favicon-32x32.png",
        "/chain/keys",
        "/chain/keys/",
    }
)
KEY_BYTES: Final = 32

_HEADER: Final = HEADER.lower().encode()
_CHALLENGE: Final = {"WWW-Authenticate": f'ApiKey header="{HEADER}"'}


def new_key() -> str:
    """A random key of 256 bits, so that a plain sum of it is safe to keep: nobody can guess it back."""
    return secrets.token_urlsafe(KEY_BYTES)


def key_hash(key: str | bytes) -> str:
    """The SHA-256 sum of a key in hex: what API_KEY_HASHES lists."""
    return hashlib.sha256(key.encode() if isinstance(key, str) else key).hexdigest()


class ApiKeys:
    """Lets pass the open pages, and what brings a key whose sum is configured.

    `exempt` adds paths that another check guards.
    """

    def __init__(self, hashes: tuple[str, ...], exempt: Set[str] = frozenset()) -> None:
        self._hashes = hashes
        self._open = OPEN | exempt

    async def __call__(self, scope: Scope) -> None:
        """Raises UnauthorizedError."""
        if scope["path"] in self._open:
            return
        key = next((value for name, value in scope["headers"] if name == _HEADER), None)
        if key is None or not self._known(key_hash(key)):
            raise UnauthorizedError(headers=_CHALLENGE)

    def _known(self, brought: str) -> bool:
        found = False
        for configured in self._hashes:
            found |= hmac.compare_digest(brought, configured)
        return found
