"""Real typists to measure on: where their keystrokes lie, and which half of them is reported.

V. Dhakal, A. M. Feit, P. O. Kristensson, A. Oulasvirta, "Observations on Typing from 136 Million Keystrokes", CHI 2018:
free for non-commercial research with attribution. The keystrokes are no part of this project.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ml.dataset import SessionTable, held_out
from ml.keystrokes import read_sessions

VARIABLE = "AALTO_KEYSTROKES"
BESIDE_THE_PROJECT = Path("../shared/data/aalto_keystrokes.csv.gz")
REPORTED_SHARE = 0.5


class RealPeopleMissingError(Exception):
    """Raised when the keystrokes are not there; in CI (CI=true) that is a failure, elsewhere a reason to skip."""


def locate(root: Path, environ: Mapping[str, str]) -> Path:
    """The file of keystrokes: $AALTO_KEYSTROKES, or beside the project's `root`. Raises RealPeopleMissingError."""
    path = Path(environ.get(VARIABLE) or root / BESIDE_THE_PROJECT)
    if not path.is_file():
        raise RealPeopleMissingError(
            f"no keystrokes of real people at {path}; help: set {VARIABLE} to aalto_keystrokes.csv.gz"
        )
    return path


def is_required(environ: Mapping[str, str]) -> bool:
    """Whether a missing file is a failure."""
    return environ.get("CI", "").lower() == "true"


def read_reported(path: Path) -> SessionTable:
    """The sentences of the half that no figure of this project was tuned on; a hash of the user's number decides."""
    table = read_sessions(path)
    return table.rows(held_out(table.user, REPORTED_SHARE))
