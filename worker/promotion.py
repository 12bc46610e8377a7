"""Which retrained model is in use: a directory of versions and one small file that names the current one.

`<directory>/<version>/model.pth` with its manifest, and `<directory>/current`, replaced atomically.
"""

from __future__ import annotations

import os
from pathlib import Path

POINTER = "current"
MODEL_FILE = "model.pth"


class Promotions:
    """The versions below one directory, which may not exist yet."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def current(self) -> Path | None:
        """The model file of the promoted version; None while none was promoted."""
        try:
            version = (self._directory / POINTER).read_text().strip()
        except FileNotFoundError:
            return None
        return self.path(version)

    def path(self, version: str) -> Path:
        """Where the model file of `version` lies or will lie."""
        return self._directory / version / MODEL_FILE

    def promote(self, version: str) -> None:
        """Let every worker that watches this directory take `version`. Raises FileNotFoundError if it is not there."""
        if not self.path(version).is_file():
            raise FileNotFoundError(f"no model at {self.path(version)}")
        fresh = self._directory / f"{POINTER}.{os.getpid()}"
        fresh.write_text(version + "\n")
        fresh.replace(self._directory / POINTER)

    def next_version(self, base: str) -> str:
        """The patch version after `base` and after every version that lies here."""
        major, minor, patch = (int(part) for part in base.split("."))
        taken = [patch]
        for entry in self._directory.glob(f"{major}.{minor}.*"):
            tail = entry.name.rsplit(".", 1)[1]
            taken += [int(tail)] if tail.isdecimal() else []
        return f"{major}.{minor}.{max(taken) + 1}"
