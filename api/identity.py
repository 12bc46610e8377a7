"""DIDs: which are accepted, which of two spellings are one DID, and the keyed hash that stands for it behind the API.

Accepted are ``0x`` and 1 to 64 hex digits, a W3C DID (`did:method:id`, DID Core 1.0 section 3.1), and either of them
shortened for display, ``0x742d35...`` or ``did:key:z6Mk...``. A shortened DID names nobody in particular: two people
may share it, so it gets no hash, and with that neither reads a recorded history nor enters one.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

MAX_DID_LENGTH: Final = 256  # W3C sets no limit; this bounds what is hashed
HASH_BYTES: Final = 16
ACCEPTED: Final = "0x and 1 to 64 hex digits, or a W3C DID such as did:web:example.org"

_ID_CHARACTER = r"(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})"
DID_PATTERN: Final = (
    rf"^(?:0x[0-9A-Fa-f]{{1,64}}(?:\.\.\.)?|did:[a-z0-9]+:(?:{_ID_CHARACTER}*:)*{_ID_CHARACTER}+)$"
)
_ABBREVIATION = "..."
_HEX_ID = re.compile(r"0x[0-9A-Fa-f]+")


def canonical(did: str) -> str | None:
    """The one spelling of an accepted DID, or None for an abbreviated one.

    Hex has no case, so ``0x`` DIDs and W3C DIDs whose last part is a ``0x`` number (did:ethr, did:pkh) are put in lower
    case there; everything else of a W3C DID is case-sensitive and stays. Leading zeros are part of a DID.
    """
    if did.endswith(_ABBREVIATION):
        return None
    head, colon, last = did.rpartition(":")
    return head + colon + (last.lower() if _HEX_ID.fullmatch(last) else last)


class Identities:
    """Turns DIDs into keyed hashes, so that neither queue nor store nor log ever holds one."""

    def __init__(self, secret: str) -> None:
        # BLAKE2b takes keys of up to 64 bytes; hashing the secret first lets it have any length.
        key = hashlib.blake2b(secret.encode(), person=b"biometrics.key").digest()
        self._keyed = hashlib.blake2b(key=key, digest_size=HASH_BYTES)  # copied, not made anew

    def identify(self, did: str) -> str | None:
        """What stands for an accepted DID: BLAKE2b keyed with the service's secret, 32 hex digits.

        None for an abbreviated DID, which stands for nobody.
        """
        digest = self.digest(did)
        return None if digest is None else digest.hex()

    def digest(self, did: str) -> bytes | None:
        """The same as 16 bytes; None for an abbreviated DID."""
        spelling = canonical(did)
        if spelling is None:
            return None
        hashed = self._keyed.copy()
        hashed.update(spelling.encode())
        return hashed.digest()
