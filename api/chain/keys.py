"""The oracle's signing key: read once at the start from a file or the environment, and never shown.

Only its public half, and the public keys before and after it, leave the process.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.chain.message import blake2b_256
from api.chain.settings import ChainSettings
from api.settings import SettingsError

FILE_MODE: Final = 0o600
HELP: Final = "make one with scripts/make_chain_key.py"

_SEED = re.compile(r"(?:0x)?([0-9a-fA-F]{64})\s*")


class SigningKey:
    """One ed25519 key pair. Its representation shows the public half only."""

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public: Final = self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of ed25519 over BLAKE2b-256 of the message; the same message has one signature."""
        return self._private.sign(blake2b_256(message))

    def __repr__(self) -> str:
        return f"SigningKey(public=0x{self.public.hex()})"


def signing_key(settings: ChainSettings) -> SigningKey | None:
    """The configured key, None where none is.

    Raises SettingsError for a key that cannot be read or is none, for a file that others may read, for two keys at
    once, and for a key without an oracle id.
    """
    given, path = settings.chain_key.get_secret_value(), settings.chain_key_file
    if not given and not path:
        return None
    if given and path:
        raise SettingsError("CHAIN_KEY and CHAIN_KEY_FILE are both set; keep one of them")
    if settings.chain_oracle_id is None:
        raise SettingsError(
            "CHAIN_ORACLE_ID is not set; it must be a number from 0 to 2047 that no other oracle of the chain has:"
            " nonces of two oracles would meet otherwise"
        )
    seed = _SEED.fullmatch(given or read_key_file(Path(path)))
    if seed is None:
        name = "CHAIN_KEY" if given else f"CHAIN_KEY_FILE {path}"
        raise SettingsError(f"{name} must hold the 64 hex digits of an ed25519 seed; {HELP}")
    return SigningKey(bytes.fromhex(seed[1]))


def read_key_file(path: Path) -> str:
    """The text of a key's file. Raises SettingsError where it is missing or anyone but its owner has a right to it."""
    if _SEED.fullmatch(str(path)):
        raise SettingsError(f"CHAIN_KEY_FILE holds a key and must name the file that does; {HELP}")
    try:
        with path.open() as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & ~FILE_MODE:
                raise SettingsError(
                    f"CHAIN_KEY_FILE {path} has mode {mode:04o} and must have 0600; help: chmod 600 {path}"
                )
            return file.read(4096)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"CHAIN_KEY_FILE {path} cannot be read ({error}); {HELP}") from None
