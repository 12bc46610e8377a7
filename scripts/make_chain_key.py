"""Makes the ed25519 key that signs answers for a chain: writes a new file of mode 0600, prints the public half."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path

from api.chain.keys import FILE_MODE, SigningKey

DEFAULT = Path("chain.key")


def make(path: Path) -> SigningKey:
    """A new key, its seed in the file. Raises FileExistsError rather than write over an older key."""
    seed = secrets.token_bytes(32)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, FILE_MODE)
        file.write(seed.hex() + "\n")
    return SigningKey(seed)


def main() -> int:
    """0, or 1 where the file cannot be made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, nargs="?", default=DEFAULT, help=f"default: {DEFAULT}")
    path = parser.parse_args().path
    try:
        key = make(path)
    except OSError as error:
        print(f"{path}: {error.strerror}; help: name another file", file=sys.stderr)
        return 1
    print(f"The key is in {path}; keep it there, readable by the service alone.")
    print(f"Register this public key with the chain:\n0x{key.public.hex()}\n")
    print("Put this into .env; the id must be one that no other oracle of the chain has:")
    print(f"CHAIN_KEY_FILE={path.resolve()}\nCHAIN_ORACLE_ID=1")
    return 0


if __name__ == "__main__":
    sys.exit(main())
