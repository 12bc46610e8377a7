"""Makes an API key: prints it once, for its user, and the line for `.env` that lets it in."""

from __future__ import annotations

import argparse

from api.access.keys import HEADER, key_hash, new_key


def main() -> None:
    """Prints the key and its sum; neither is stored anywhere."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    key = new_key()
    print(f"Give this to its user; it cannot be shown again:\n{HEADER}: {key}\n")
    print("Put this into .env; several sums are separated by commas:")
    print(f"API_KEY_HASHES={key_hash(key)}")


if __name__ == "__main__":
    main()
