"""Real typists to measure on: where their keystrokes lie, and which third of them is reported.

V. Dhakal, A. M. Feit, P. O. Kristensson, A. Oulasvirta, "Observations on Typing from 136 Million Keystrokes", CHI 2018:
free for non-commercial research with attribution. The keystrokes are no part of this project.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.windows import read_sessions

VARIABLE = "AALTO_KEYSTROKES"
BESIDE_THE_PROJECT = Path("../shared/data/aalto_keystrokes.csv.gz")
THIRDS = 3
REPORTED = 2  # of 0, 1, 2; figures and choices come from the others


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


def third(user: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which third each person (N,) belongs to: a checksum of the number decides, so nobody is ever split."""
    distinct, row = np.unique(user, return_inverse=True)
    return np.array([zlib.crc32(str(number).encode()) % THIRDS for number in distinct])[row]


def read_reported(path: Path) -> SessionTable:
    """The sentences of the third that no figure of this project was tuned on."""
    table = read_sessions(path)
    return table.rows(third(table.user) == REPORTED)


def read_chosen_on(path: Path) -> SessionTable:
    """The sentences of the two thirds that figures are measured and choices are made on."""
    table = read_sessions(path)
    return table.rows(third(table.user) != REPORTED)
